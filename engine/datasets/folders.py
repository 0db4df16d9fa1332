"""Images in class folders, as an uploaded zip is unpacked."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from engine.blueprint import InputSpec
from engine.config.datasets import UploadOptions
from engine.datasets.base import (
    DatasetInfo,
    ImageData,
    ImageSplits,
    Labels,
    Split,
    content_hash,
    held_out,
    held_out_count,
    preprocessing,
)
from engine.datasets.cache import cached
from engine.datasets.images import DECODING, RESCALED, read_squares
from engine.datasets.summary import image_files, read_summary
from engine.errors import DataError


class FolderData(ImageData):
    """Images in ``root/train/<class>/`` and optionally ``root/test/<class>/``; all are scaled to one square size."""

    def __init__(self, options: UploadOptions, root: Path) -> None:
        if not root.is_dir():
            raise DataError("the files of this data set no longer exist; upload it again")
        self.options = options
        self.root = root
        self.summary = read_summary(root)
        self.resolution = options.resolution or self.summary.side

    @cached_property
    def info(self) -> DatasetInfo:
        """The description, from the folder's summary."""
        summary = self.summary
        side = self.resolution
        valid = held_out_count(summary.class_counts, self.options.valid_share)
        return DatasetInfo(
            label=f"Uploaded images {self.options.id}",
            spec=InputSpec(summary.channels, side, side, len(summary.class_names)),
            class_names=summary.class_names,
            preprocessing=preprocessing(self.options, summary.channels, side),
            train_count=summary.train_count - valid,
            valid_count=valid,
            test_count=summary.test_count,
            content_hash=content_hash(f"{summary.digest} {DECODING}{RESCALED * summary.rescaled}", self.options, side),
        )

    def load(self) -> ImageSplits:
        """Return the decoded images; after the first call they come from the cache below the folder."""
        return cached(self.root, self.info.content_hash, self._decode)

    def _decode(self) -> ImageSplits:
        labels = self._labels("train")
        rows = held_out(labels, self.options.valid_share, self.options.split_seed)
        train, valid = (self._split("train", part) for part in rows)
        return ImageSplits(train, valid, self._split("test", np.arange(self.summary.test_count)))

    def _labels(self, part: str) -> Labels:
        numbers = {name: number for number, name in enumerate(self.summary.class_names)}
        return np.array([numbers[name] for name, _ in image_files(self.root, part)], dtype=np.int64)

    def _split(self, part: str, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Split:
        files = image_files(self.root, part)
        paths = [files[row][1] for row in rows]
        images = read_squares(paths, self.summary.channels, self.resolution, self.options.fit)
        return Split(images, self._labels(part)[rows])
