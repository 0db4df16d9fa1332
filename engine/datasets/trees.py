"""Class folders of this machine, of any size, such as ImageNet's ``train/<class>/`` and ``val/<class>/``.

Full trainings stream the files (`ImageData.files`). Estimates, which read every image many times, get a sample of
``train/`` that fits into memory (`ImageData.load`), drawn class by class with the split seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.blueprint import InputSpec
from engine.config.datasets import FoldersOptions
from engine.datasets.base import (
    DatasetInfo,
    FileSplit,
    FileSplits,
    ImageData,
    ImageSplits,
    Labels,
    Split,
    content_hash,
    held_out,
    held_out_count,
    preprocessing,
    stratified_sample,
)
from engine.datasets.cache import cached
from engine.datasets.depth import GREY_MODES, WHOLE
from engine.datasets.images import DECODING, RESCALED, open_image, read_square
from engine.datasets.listing import list_folder
from engine.datasets.summary import MAX_DEFAULT_SIDE, MIN_SIDE
from engine.errors import DataError

LOOKED_AT = 64
"""Number of images whose headers decide the default size and whether the data set is grey."""


class TreeData(ImageData):
    """The data in the folder that the options name; decoded samples are kept in ``root``."""

    def __init__(self, options: FoldersOptions, root: Path) -> None:
        self.options = options
        self.root = root
        try:
            folder = Path(options.path).expanduser().absolute()
            self.listing = list_folder(folder)
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(
                f"the folder '{options.path}' cannot be read ({error}); name a folder on this machine"
            ) from error

    @cached_property
    def _look(self) -> tuple[int, int, bool]:
        """Channels, default side in pixels (the most common short side of a few images, at most 224), and whether some
        have more than 8 bits."""
        files = [file for files in self.listing.train for file in files]
        sides: Counter[int] = Counter()
        grey = True
        deep = False
        for file in files[:: max(1, len(files) // LOOKED_AT)]:
            with open_image(file, "/".join(file.parts[-3:])) as image:
                sides[min(image.size)] += 1
                grey = grey and image.mode in GREY_MODES
                deep = deep or image.mode in WHOLE
        side = max(MIN_SIDE, min(MAX_DEFAULT_SIDE, sides.most_common(1)[0][0]))
        return 1 if grey else 3, side, deep

    @property
    def resolution(self) -> int:
        """Side of the square input, in pixels."""
        return self.options.resolution or self._look[1]

    @cached_property
    def info(self) -> DatasetInfo:
        """The description; it counts all files, because a full training reads all."""
        listing = self.listing
        channels = self._look[0]
        side = self.resolution
        decoding = DECODING + RESCALED * self._look[2]
        valid = held_out_count(listing.counts, self.options.valid_share)
        return DatasetInfo(
            label=f"Folder {Path(self.options.path).name}",
            spec=InputSpec(channels, side, side, len(listing.class_names)),
            class_names=listing.class_names,
            preprocessing=preprocessing(self.options, channels, side),
            train_count=sum(listing.counts.values()) - valid,
            valid_count=valid,
            test_count=sum(map(len, listing.test)),
            content_hash=content_hash(f"{listing.digest} {self.options.sample} {decoding}", self.options, side),
        )

    def load(self) -> ImageSplits:
        """Return the sample for estimates, split in the same way as all files; test images are only streamed."""
        return cached(self.root, self.info.content_hash, self._sample)

    def files(self) -> FileSplits:
        """Return all files."""
        paths, labels = _flat(self.listing.train)
        train, valid = held_out(labels, self.options.valid_share, self.options.split_seed)
        return FileSplits(
            self._files([paths[row] for row in train], labels[train]),
            self._files([paths[row] for row in valid], labels[valid]),
            self._files(*_flat(self.listing.test)),
        )

    def _files(self, paths: Sequence[Path], labels: Labels) -> FileSplit:
        return FileSplit(paths, labels, self._look[0], self.resolution, self.options.fit)

    def _sample(self) -> ImageSplits:
        files = self.files()
        options = self.options
        valid_count = round(options.sample * options.valid_share)
        train = self._decode(files.train, options.sample - valid_count)
        return ImageSplits(train, self._decode(files.valid, valid_count), self._decode(files.test, 0))

    def _decode(self, split: FileSplit, most: int) -> Split:
        rows: NDArray[np.intp] = np.sort(stratified_sample(split.labels, most, self.options.split_seed)[:most])
        shape = (len(rows), split.channels, split.resolution, split.resolution)
        images = np.empty(shape, dtype=np.uint8)
        for index, row in enumerate(rows):
            images[index] = read_square(split.paths[row], split.channels, split.resolution, split.fit)
        return Split(images, split.labels[rows])


def _flat(classes: Sequence[Sequence[Path]]) -> tuple[list[Path], Labels]:
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes]).astype(np.int64)
    return [file for files in classes for file in files], labels
