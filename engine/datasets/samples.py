"""Sample images of a data set: a few images of a class, as networks see them, in one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from engine.datasets.base import Pixels
from engine.datasets.digits import DigitsData
from engine.datasets.images import Fit, read_squares
from engine.datasets.summary import class_files

T = TypeVar("T")
GAP = 2
LEAST_SIDE = 64
"""Side in pixels; smaller images are enlarged by whole factors, so that people can see them."""


def folder_strip(root: Path, part: str, name: str, channels: int, resolution: int, fit: Fit, count: int) -> bytes:
    """Return a PNG of up to ``count`` images of a class, spread evenly over its files; DataError if there are none."""
    files = class_files(root, part, name)
    return strip(read_squares(spread(files, count), channels, resolution, fit))


def digits_strip(data: DigitsData, part: str, label: int, count: int) -> bytes:
    """Return a PNG of up to ``count`` of scikit-learn's digits of a label; ``part`` is train, valid or test."""
    split = getattr(data.load(), part)
    return strip(np.asarray(spread(list(split.images[split.labels == label]), count)))


def strip(images: Pixels) -> bytes:
    """Return images ``(N, C, H, W)`` side by side as a PNG, at least `LEAST_SIDE` high."""
    count, channels, height, width = images.shape
    factor = max(1, -(-LEAST_SIDE // height))
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    sheet = Image.new("L" if channels == 1 else "RGB", (count * (width * factor + GAP) - GAP, height * factor), "white")
    for index, image in enumerate(images):
        pixels = image[0] if channels == 1 else image.transpose(1, 2, 0)
        sheet.paste(Image.fromarray(np.ascontiguousarray(pixels)), (index * (width * factor + GAP), 0))
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return up to ``count`` items at equal steps, beginning with the first."""
    step = max(1.0, len(items) / count)
    return [items[int(index * step)] for index in range(min(count, len(items)))]
