"""The parts of image files that a network reads: random parts for training, the centre for evaluation (ImageNet).

The random part is torchvision's RandomResizedCrop (Szegedy 2015, arXiv 1409.4842): 8 to 100% of the area, with sides in
a ratio of 3:4 to 4:3, scaled to the input. It is drawn with a key for each image, because torchvision draws from one
generator, which the decoding threads would share. For the centre, the short side is scaled to 8/7 of the input's side
(256 for 224) and the central square is cut out.
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
"""The share of the short side that is used in evaluation."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
View = Callable[[FileSplit, int, Sequence[int]], Pixels]
"""A function that returns an image of a split by its row; random parts depend only on the row and the key."""


def whole(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """Return the whole image, fitted as in the data set."""
    return read_square(split.paths[row], split.channels, split.resolution, split.fit)


def random_part(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """Return a random part of the image, which depends on the key."""

    def chosen(width: int, height: int) -> Box:
        return random_box(width, height, np.random.default_rng([*key, row, 1]))

    return _part(split, row, chosen)


def centre(split: FileSplit, row: int, key: Sequence[int]) -> Pixels:
    """Return the central square of the image, the same for every key."""
    return _part(split, row, centre_box)


def random_box(width: int, height: int, rng: np.random.Generator) -> Box:
    """Return a random part of an image; if none fits within `TRIES` draws, the centre with the nearest ratio."""
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
    """Return the central square."""
    side = CENTRE * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _part(split: FileSplit, row: int, chosen: Callable[[int, int], Box]) -> Pixels:
    path: Path = split.paths[row]
    return read_part(path, split.channels, split.resolution, chosen)
