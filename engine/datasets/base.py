"""What every data set answers: a cheap description, and the images split into train, valid and test.

Validation images are always held out of the training images, by seed and label; the test images are the data's own
and nothing in a search looks at them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.blueprint import InputSpec
from engine.config.datasets import ImageOptions

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class DatasetInfo:
    """A data set without its pixels.

    ``preprocessing`` is JSON-ready and travels with every download: ``channels``, ``resolution`` (side of the square
    input in pixels), ``fit``, and how uint8 pixels become inputs: ``(pixels * scale - mean) / std`` a channel.
    ``content_hash`` covers the files and every option that changes an image or a split.
    """

    label: str
    spec: InputSpec
    class_names: tuple[str, ...]
    preprocessing: Mapping[str, Any]
    train_count: int
    valid_count: int
    test_count: int
    content_hash: str


@dataclass(frozen=True)
class Split:
    """Images ``(N, C, H, W)`` with labels ``(N,)``; may be memory-mapped and is not to be written to."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageSplits:
    """The images to learn from, to select by, and to report at the very end (may be empty)."""

    train: Split
    valid: Split
    test: Split


@dataclass(frozen=True)
class FileSplit:
    """Image files with their labels ``(N,)``, and how each becomes ``(channels, resolution, resolution)``."""

    paths: Sequence[Path]
    labels: Labels
    channels: int
    resolution: int
    fit: Literal["resize", "crop"]


@dataclass(frozen=True)
class FileSplits:
    """As `ImageSplits`, undecoded and whole."""

    train: FileSplit
    valid: FileSplit
    test: FileSplit


class ImageData(ABC):
    """An opened data set; making one reads no pixels."""

    @property
    @abstractmethod
    def info(self) -> DatasetInfo:
        """The description, without decoding images."""

    @abstractmethod
    def load(self) -> ImageSplits:
        """The images; slow the first time where files have to be decoded. DataError says what cannot be read."""

    def files(self) -> FileSplits | None:
        """The images as files to stream, where there may be too many of them to hold; None: `load` gives them all."""
        return None


def preprocessing(options: ImageOptions, channels: int, resolution: int) -> dict[str, Any]:
    """The preprocessing of `DatasetInfo`: pixels / 255, as MOTE was published; the stem's norm does the rest."""
    scaling = {"scale": 1 / 255, "mean": [0.0] * channels, "std": [1.0] * channels}
    return {"channels": channels, "resolution": resolution, "fit": options.fit, **scaling}


def content_hash(files: str, options: ImageOptions, resolution: int) -> str:
    """Digest of the files' digest and the options that matter; the order of options does not."""
    parts = {
        "files": files,
        "resolution": resolution,
        "fit": options.fit,
        "valid_share": options.valid_share,
        "split_seed": options.split_seed,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def held_out(labels: Labels, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers to train on and row numbers to hold out, both ascending.

    Of every class with two images or more, ``share`` of its images but at least one is held out and at least one kept.
    """
    rng = np.random.default_rng(seed)
    held = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        count = min(max(round(len(rows) * share), 1), len(rows) - 1)
        held.append(rng.permutation(rows)[:count])
    valid = np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.intp)
    return np.setdiff1d(np.arange(len(labels)), valid), valid


def held_out_count(class_counts: Mapping[str, int], share: float) -> int:
    """How many rows `held_out` holds out, from the number of images a class."""
    return sum(min(max(round(count * share), 1), count - 1) for count in class_counts.values() if count)


def stratified_sample(labels: Labels, count: int, seed: int) -> NDArray[np.intp]:
    """Up to ``count`` row numbers in random order, every class as often as its share allows (MOTE's RD-RS)."""
    rng = np.random.default_rng(seed)
    if count >= len(labels):
        return rng.permutation(len(labels))
    # Every row gets its position within its class, as a fraction: the smallest fractions take each class evenly.
    order = rng.permutation(len(labels))
    fraction = np.empty(len(labels))
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        fraction[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    chosen = order[np.argsort(fraction[order], kind="stable")[:count]]
    return rng.permutation(chosen)
