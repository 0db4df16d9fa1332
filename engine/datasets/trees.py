"""Class folders of this machine, of any size: ``train/<class>/`` and ``val/<class>/`` as ImageNet comes, or alone.

Full trainings stream the files (`ImageData.files`). Estimates, which see every image many times, get a sample of
``train/`` that fits into memory (`ImageData.load`), drawn class by class with the split seed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
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
from engine.datasets.images import DECODING, GREY_MODES, open_image, read_square
from engine.datasets.layout import Place, find_layout, is_hidden, is_image
from engine.datasets.summary import MAX_DEFAULT_SIDE, MIN_SIDE
from engine.errors import DataError

LOOKED_AT = 64
"""Images whose headers say the default size and whether all are grey."""
REPORTED = ("val", "test", "valid")
"""Names of the folder with the images that are reported on; the first that is there counts."""


@dataclass(frozen=True)
class Listing:
    """Files by class; ``digest`` is of their names, for nobody reads 150 GB to open a data set.

    An image changed under its old name is therefore not noticed: rename the file, or its evaluations are found again.
    """

    class_names: tuple[str, ...]
    train: tuple[tuple[Path, ...], ...]
    test: tuple[tuple[Path, ...], ...]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """Files of ``train/`` a class."""
        return {name: len(files) for name, files in zip(self.class_names, self.train, strict=True)}


class TreeData(ImageData):
    """The folder that the options name; ``root`` is where decoded samples are kept."""

    def __init__(self, options: FoldersOptions, root: Path) -> None:
        self.options = options
        self.root = root
        try:
            folder = Path(options.path).expanduser().absolute()
            parts = _parts(folder)
            self.listing = _listing(*parts, _changed(*parts))
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(
                f"the folder '{options.path}' cannot be read ({error}); name one on this machine"
            ) from error

    @cached_property
    def _look(self) -> tuple[int, int]:
        """Channels, and the default side in pixels: the most common short side of a few images, at most 224."""
        files = [file for files in self.listing.train for file in files]
        sides: Counter[int] = Counter()
        grey = True
        for file in files[:: max(1, len(files) // LOOKED_AT)]:
            with open_image(file, "/".join(file.parts[-3:])) as image:
                sides[min(image.size)] += 1
                grey = grey and image.mode in GREY_MODES
        side = max(MIN_SIDE, min(MAX_DEFAULT_SIDE, sides.most_common(1)[0][0]))
        return 1 if grey else 3, side

    @property
    def resolution(self) -> int:
        """Side of the square input, in pixels."""
        return self.options.resolution or self._look[1]

    @cached_property
    def info(self) -> DatasetInfo:
        """The description; counts are of all files, which a full training reads."""
        listing = self.listing
        channels = self._look[0]
        side = self.resolution
        valid = held_out_count(listing.counts, self.options.valid_share)
        return DatasetInfo(
            label=f"Folder {Path(self.options.path).name}",
            spec=InputSpec(channels, side, side, len(listing.class_names)),
            class_names=listing.class_names,
            preprocessing=preprocessing(self.options, channels, side),
            train_count=sum(listing.counts.values()) - valid,
            valid_count=valid,
            test_count=sum(map(len, listing.test)),
            content_hash=content_hash(f"{listing.digest} {self.options.sample} {DECODING}", self.options, side),
        )

    def load(self) -> ImageSplits:
        """The sample that estimates learn from, split as the whole is; test images are only streamed."""
        return cached(self.root, self.info.content_hash, self._sample)

    def files(self) -> FileSplits:
        """Every file."""
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


class _Folders:
    """The folders below one of this machine, as `find_layout` asks for them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folders(self, place: Place) -> list[str]:
        with os.scandir(self._root.joinpath(*place)) as entries:
            return [entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name)]

    def has_images(self, place: Place) -> bool:
        with os.scandir(self._root.joinpath(*place)) as entries:
            return any(is_image(entry.name) for entry in entries)


def _parts(folder: Path) -> tuple[Path, Path | None]:
    """The folders with the classes to learn from and with those to report on."""
    if not folder.is_dir():
        raise DataError(f"there is no folder '{folder}' on this machine; give the whole path of one")
    layout = find_layout(_Folders(folder), REPORTED)
    return folder.joinpath(*layout.train), None if layout.test is None else folder.joinpath(*layout.test)


def _changed(*parts: Path | None) -> tuple[int, ...]:
    """When the folders of classes were last changed: what a kept listing is valid for."""
    entries = (entry for part in parts if part is not None for entry in sorted(part.iterdir()))
    return tuple(entry.stat().st_mtime_ns for entry in entries if entry.is_dir())


@lru_cache(maxsize=4)
def _listing(learned: Path, reported: Path | None, changed: tuple[int, ...]) -> Listing:
    train = _classes(learned)
    if len(train) < 2:
        raise DataError(
            f"'{learned}' holds {len(train)} class folders with images, two at least are needed; name the folder above "
            "train/, or put the images of every class into a folder of its own"
        )
    small = [name for name, files in train.items() if len(files) < 2]
    if small:
        raise DataError(f"the class '{small[0]}' has one image; two at least are needed, one of them to hold out")
    test = _classes(reported) if reported else {}
    strange = sorted(set(test) - set(train))
    if strange:
        raise DataError(f"'{reported}' holds the class '{strange[0]}', which train/ has not; rename or remove it")
    digest = sha256()
    for part in (train, test):
        for name, files in part.items():
            digest.update(f"{name}\0{len(files)}\0".encode())
            digest.update("\0".join(file.name for file in files).encode(errors="surrogateescape"))
    return Listing(tuple(train), tuple(train.values()), tuple(test.get(name, ()) for name in train), digest.hexdigest())


def _classes(part: Path) -> dict[str, tuple[Path, ...]]:
    classes = {}
    for entry in sorted(os.scandir(part), key=lambda entry: entry.name):
        if entry.is_dir() and not is_hidden(entry.name):
            names = sorted(file.name for file in os.scandir(entry.path) if is_image(file.name))
            if names:
                classes[entry.name] = tuple(Path(entry.path, name) for name in names)
    return classes


def _flat(classes: Sequence[Sequence[Path]]) -> tuple[list[Path], Labels]:
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes]).astype(np.int64)
    return [file for files in classes for file in files], labels
