"""The contents of a data set, and its images as networks see them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.config.datasets import DigitsOptions, UploadOptions
from engine.datasets.base import held_out_count
from engine.datasets.digits import DigitsData
from engine.datasets.folders import FolderData
from engine.datasets.images import Fit
from engine.datasets.samples import digits_strip, folder_strip
from engine.datasets.summary import MANIFEST, read_summary
from engine.errors import DataError
from searches.models import Dataset

PARTS = ("train", "test")
SHOWN = 10
"""Number of images of a class in a strip."""


def inspected(row: Dataset) -> dict[str, Any]:
    """Return splits, class counts and default preprocessing; raises DataError if the files are missing."""
    data = FolderData(UploadOptions(id=row.pk), row.folder)
    info = data.info
    summary = data.summary
    classes = [
        {
            "name": name,
            "train": count - held_out_count({name: count}, data.options.valid_share),
            "valid": held_out_count({name: count}, data.options.valid_share),
            "test": summary.test_counts.get(name, 0),
        }
        for name, count in summary.class_counts.items()
    ]
    return {
        "splits": {"train": info.train_count, "valid": info.valid_count, "test": info.test_count},
        "valid_share": data.options.valid_share,
        "classes": classes,
        "preprocessing": dict(info.preprocessing),
        "ignored": summary.ignored,
        "left_out": left_out(row),
    }


def left_out(row: Dataset) -> list[dict[str, Any]]:
    """Return the files of an upload that are not used, by folder and suffix; empty for uploads of earlier builds."""
    if not (row.folder / MANIFEST).is_file():
        return []
    return [asdict(part) for part in read_summary(row.folder).left_out]


def digits() -> dict[str, Any]:
    """Return the same as `inspected` for scikit-learn's digits."""
    data = DigitsData(DigitsOptions(), Path())
    info = data.info
    splits = data.load()
    names = ("train", "valid", "test")
    counts = {part: [int((getattr(splits, part).labels == label).sum()) for label in range(10)] for part in names}
    return {
        "splits": {part: sum(counts[part]) for part in names},
        "valid_share": data.options.valid_share,
        "classes": [
            {"name": name, **{part: counts[part][label] for part in names}}
            for label, name in enumerate(info.class_names)
        ],
        "preprocessing": dict(info.preprocessing),
        "ignored": 0,
        "left_out": [],
    }


def sample(row: Dataset, name: str, part: str, fit: Fit, count: int = SHOWN) -> bytes:
    """Return images of a class as one PNG, as networks see them; raises DataError if there are none."""
    side = read_summary(row.folder).side
    return folder_strip(row.folder, part, name, row.channels, side, fit, count)


def digits_sample(name: str, part: str, count: int = SHOWN) -> bytes:
    """Return the same as `sample` for scikit-learn's digits."""
    if name not in {str(digit) for digit in range(10)}:
        raise DataError(f"there are no images of class '{name}'")
    return digits_strip(DigitsData(DigitsOptions(), Path()), part, int(name), count)
