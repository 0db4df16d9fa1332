"""Which part of an image file a network is shown: random ones to learn from, the middle to be judged by (ImageNet).

The random part is torchvision's RandomResizedCrop (Szegedy 2015, arXiv 1409.4842): 8 to 100% of the area, sides in a
ratio of 3:4 to 4:3, scaled to the input. It is drawn from a key of its own, since torchvision draws from one generator
that decoding threads would share. The middle is what is left when the short side is scaled to 8/7 of the input's (256
for 224) and the centre is cut out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.datasets.base import FileSplit, Pixels
from engine.datasets.images import read_part, read_square

AREA = (0.08, 1.0)
RATIO = (3 / 4, 4 / 3)
TRIES = 10
CENTRE = 7 / 8
"""Share of the short side that is looked at when a network is judged."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
View = Callable[[FileSplit, int, Sequence[int]], Pixels]
"""An image of a split by its row; what is random depends on the row and the key alone."""


def whole(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """The image as the data set shows it."""
    return read_square(split.paths[row], split.channels, split.resolution, split.fit)


def random_part(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """Another part for every key."""

    def chosen(width: int, height: int) -> Box:
        return random_box(width, height, np.random.default_rng([*key, row, 1]))

    return _part(split, row, chosen)


def centre(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """The same square for every key."""
    return _part(split, row, centre_box)


def random_box(width: int, height: int, rng: np.random.Generator) -> Box:
    """A part of an image; where none fits within `TRIES`, the middle with the nearest ratio."""
    for _ in range(TRIES):
        area = width * height * rng.uniform(*AREA)
        ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        across = round(math.sqrt(area * ratio))
        down = round(math.sqrt(area / ratio))
        if 0 < across <= width and 0 < down <= height:
            left, top = int(rng.integers(0, width - across + 1)), int(rng.integers(0, height - down + 1))
            return left, top, left + across, top + down
    across = min(width, round(height * RATIO[1]))
    down = min(height, round(width / RATIO[0]))
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def centre_box(width: int, height: int) -> Box:
    """The square in the middle."""
    side = CENTRE * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _part(split: FileSplit, row: int, chosen: Callable[[int, int], Box]) -> Pixels:
    path: Path = split.paths[row]
    return read_part(path, split.channels, split.resolution, chosen)
