"""scikit-learn's handwritten digits: 1,797 grey images of 8x8 that come with the package."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from engine.blueprint import InputSpec
from engine.config.datasets import DigitsOptions
from engine.datasets.base import (
    DatasetInfo,
    ImageData,
    ImageSplits,
    Labels,
    Pixels,
    Split,
    content_hash,
    held_out,
    preprocessing,
)
from engine.datasets.images import square

TEST_SHARE = 0.2
TEST_SEED = 1797
"""Seed of the test images: the package defines none, so a fixed fifth is set aside, independent of the split seed."""


class DigitsData(ImageData):
    """The digits, with grey levels 0..16 scaled to 0..255; they are held in memory, and ``root`` is not used."""

    def __init__(self, options: DigitsOptions, root: Path) -> None:
        self.options = options
        self.resolution = options.resolution or 8

    @cached_property
    def info(self) -> DatasetInfo:
        """The description; its counts come from the splits, which take milliseconds."""
        splits = self.load()
        return DatasetInfo(
            label="Digits (scikit-learn)",
            spec=InputSpec(1, self.resolution, self.resolution, 10),
            class_names=tuple(str(digit) for digit in range(10)),
            preprocessing=preprocessing(self.options, 1, self.resolution),
            train_count=len(splits.train),
            valid_count=len(splits.valid),
            test_count=len(splits.test),
            content_hash=content_hash("scikit-learn digits", self.options, self.resolution),
        )

    def load(self) -> ImageSplits:
        """Return the digits; the fixed test images are set aside before the validation images are held out."""
        return self._splits

    @cached_property
    def _splits(self) -> ImageSplits:
        images, labels = _digits()
        if self.resolution != 8:
            size = self.resolution
            fit = self.options.fit
            images = np.stack([square(Image.fromarray(image[0]), 1, size, fit) for image in images])
        rest, test = held_out(labels, TEST_SHARE, TEST_SEED)
        train, valid = (
            rest[rows] for rows in held_out(labels[rest], self.options.valid_share, self.options.split_seed)
        )
        return ImageSplits(*(Split(images[rows], labels[rows]) for rows in (train, valid, test)))


def _digits() -> tuple[Pixels, Labels]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images: Pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    return images, bunch.target.astype(np.int64)
