"""The interface of data sets: a cheap description, and the images split into train, valid and test.

Validation images are always held out of the training images, by seed and label. The test images are those that come
with the data; no part of a search reads them.
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

    ``preprocessing`` can be written as JSON and is part of every download. It has ``channels``, ``resolution`` (side of
    the square input in pixels), ``fit``, and the numbers that turn uint8 pixels into inputs, for each channel:
    ``(pixels * scale - mean) / std``. ``content_hash`` covers the files and every option that changes an image or a
    split.
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
    """Images ``(N, C, H, W)`` with labels ``(N,)``; they may be memory-mapped and must not be written to."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageSplits:
    """Images for training, for selection, and for the final report; the last split may be empty."""

    train: Split
    valid: Split
    test: Split


@dataclass(frozen=True)
class FileSplit:
    """Image files with labels ``(N,)``, and the options that turn each into ``(channels, resolution, resolution)``."""

    paths: Sequence[Path]
    labels: Labels
    channels: int
    resolution: int
    fit: Literal["resize", "crop"]


@dataclass(frozen=True)
class FileSplits:
    """The same splits as `ImageSplits`, as undecoded files and without sampling."""

    train: FileSplit
    valid: FileSplit
    test: FileSplit


class ImageData(ABC):
    """An opened data set; its construction reads no pixels."""

    @property
    @abstractmethod
    def info(self) -> DatasetInfo:
        """The description; no images are decoded for it."""

    @abstractmethod
    def load(self) -> ImageSplits:
        """Return the images; the first call is slow if files must be decoded. DataError names what cannot be read."""

    def files(self) -> FileSplits | None:
        """Return the images as files to stream if they may be too many for memory, or None if `load` returns all."""
        return None


def preprocessing(options: ImageOptions, channels: int, resolution: int) -> dict[str, Any]:
    """Return the preprocessing of `DatasetInfo`: pixels / 255, as published for MOTE; the stem's batch norm does the
    rest."""
    scaling = {"scale": 1 / 255, "mean": [0.0] * channels, "std": [1.0] * channels}
    return {"channels": channels, "resolution": resolution, "fit": options.fit, **scaling}


def content_hash(files: str, options: ImageOptions, resolution: int) -> str:
    """Return a digest of the files' digest and the relevant options; the order of the options does not matter."""
    parts = {
        "files": files,
        "resolution": resolution,
        "fit": options.fit,
        "valid_share": options.valid_share,
        "split_seed": options.split_seed,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def held_out(labels: Labels, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row numbers to train on and the row numbers to hold out, both ascending.

    In every class with two or more images, ``share`` of the images is held out; at least one is held out and at least
    one is kept.
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
    """Return how many rows `held_out` holds out, given the number of images per class."""
    return sum(min(max(round(count * share), 1), count - 1) for count in class_counts.values() if count)


def stratified_sample(labels: Labels, count: int, seed: int) -> NDArray[np.intp]:
    """Return up to ``count`` row numbers in random order, with each class in proportion to its size (MOTE's RD-RS)."""
    rng = np.random.default_rng(seed)
    if count >= len(labels):
        return rng.permutation(len(labels))
    # Every row gets its position within its class as a fraction; the smallest fractions sample all classes evenly.
    order = rng.permutation(len(labels))
    fraction = np.empty(len(labels))
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        fraction[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    chosen = order[np.argsort(fraction[order], kind="stable")[:count]]
    return rng.permutation(chosen)
