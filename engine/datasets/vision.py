"""CIFAR-10, CIFAR-100 and Fashion-MNIST through torchvision, from the data folder or, if allowed, downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image

from engine.blueprint import InputSpec
from engine.config.datasets import TorchvisionOptions
from engine.datasets.base import (
    DatasetInfo,
    ImageData,
    ImageSplits,
    Pixels,
    Split,
    content_hash,
    held_out,
    held_out_count,
    preprocessing,
)
from engine.datasets.cache import cached
from engine.datasets.images import square
from engine.errors import DataError


@dataclass(frozen=True)
class _Facts:
    """Published facts about a data set; ``folder`` is torchvision's folder for it below the data folder."""

    label: str
    loader: str
    folder: str
    channels: int
    side: int
    train_a_class: int
    test_count: int
    class_names: tuple[str, ...]


_CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""
_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

FACTS = {
    "cifar10": _Facts("CIFAR-10", "CIFAR10", "cifar-10-batches-py", 3, 32, 5_000, 10_000, tuple(_CIFAR10.split())),
    "cifar100": _Facts("CIFAR-100", "CIFAR100", "cifar-100-python", 3, 32, 500, 10_000, tuple(_CIFAR100.split())),
    "fashion_mnist": _Facts("Fashion-MNIST", "FashionMNIST", "FashionMNIST/raw", 1, 28, 6_000, 10_000, _FASHION),
}


class TorchvisionData(ImageData):
    """A torchvision data set below ``root``; its description is known before any download."""

    def __init__(self, options: TorchvisionOptions, root: Path) -> None:
        self.options = options
        self.root = root
        self.facts = FACTS[options.name]
        self.resolution = options.resolution or self.facts.side
        if not (root / self.facts.folder).is_dir() and not options.download:
            raise DataError(
                f"{self.facts.label} is not in the data folder: put torchvision's '{self.facts.folder}' into {root}, "
                "or allow the download"
            )

    @cached_property
    def info(self) -> DatasetInfo:
        """The description, from published facts."""
        facts = self.facts
        side = self.resolution
        train = facts.train_a_class * len(facts.class_names)
        valid = held_out_count(dict.fromkeys(facts.class_names, facts.train_a_class), self.options.valid_share)
        return DatasetInfo(
            label=facts.label,
            spec=InputSpec(facts.channels, side, side, len(facts.class_names)),
            class_names=facts.class_names,
            preprocessing=preprocessing(self.options, facts.channels, side),
            train_count=train - valid,
            valid_count=valid,
            test_count=facts.test_count,
            content_hash=content_hash(f"torchvision {self.options.name}", self.options, side),
        )

    def load(self) -> ImageSplits:
        """Return the images from a cache that all processes map; they are downloaded first if needed and allowed."""
        return cached(self.root, f"{self.options.name}-{self.info.content_hash}", self._read)

    def _read(self) -> ImageSplits:
        train, test = self._split(train=True), self._split(train=False)
        rows = held_out(train.labels, self.options.valid_share, self.options.split_seed)
        first, second = (Split(train.images[part], train.labels[part]) for part in rows)
        return ImageSplits(first, second, test)

    def _split(self, *, train: bool) -> Split:
        from torchvision import datasets

        loader = getattr(datasets, self.facts.loader)
        try:
            with FileLock(self.root / f"{self.options.name}.lock"):
                source = loader(self.root, train=train, download=self.options.download)
        except (OSError, RuntimeError, ValueError) as error:
            wanted = "downloaded" if self.options.download else "read"
            raise DataError(
                f"{self.facts.label} could not be {wanted} ({str(error).strip()}); "
                f"put torchvision's '{self.facts.folder}' into {self.root}"
            ) from error
        return Split(self._squares(source.data), np.asarray(source.targets, dtype=np.int64))

    def _squares(self, data: Any) -> Pixels:
        """Return torchvision's ``(N, H, W[, 3])`` array or tensor as ``(N, C, side, side)``."""
        images: NDArray[np.uint8] = np.asarray(data, dtype=np.uint8)
        if images.shape[1:3] != (self.resolution, self.resolution):
            facts = self.facts
            size = self.resolution
            fit = self.options.fit
            return np.stack([square(Image.fromarray(image), facts.channels, size, fit) for image in images])
        return images[:, None] if images.ndim == 3 else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
