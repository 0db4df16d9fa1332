"""Image files to arrays: headers, decoding, and the policy that makes every image one square."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.datasets.base import Pixels
from engine.errors import DataError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What a file may be, whatever its name: of Pillow's other formats some run programs of the machine (Ghostscript)."""
MAX_PIXELS = 1_000_000
"""Of an uploaded image."""
MAX_LOCAL_PIXELS = 80_000_000
"""Of an image in a folder of this machine, below Pillow's own limit."""
GREY_MODES = frozenset({"1", "L", "LA", "I", "I;16", "F"})
Fit = Literal["resize", "crop"]


def open_image(path: Path, name: str, most: int = MAX_PIXELS) -> Image.Image:
    """The image with only its header read; DataError, with ``name``, for no image or one of ``most`` pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise DataError(f"the file {name} has far more than {most:,} pixels; scale it down, then try again") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise DataError(f"the file {name} is not a readable image; replace or remove it, then try again") from error
    width, height = image.size
    if width * height >= most:
        image.close()
        raise DataError(
            f"the file {name} has {width}x{height} = {width * height:,} pixels; images must have fewer than {most:,}: "
            "scale it down, then try again"
        )
    return image


def check_image(path: Path, name: str) -> tuple[tuple[int, int], bool]:
    """Width and height, and whether the image is grey, of an image that decodes; DataError for one that does not."""
    with open_image(path, name) as image:
        _decode(image, name)
        return image.size, image.mode in GREY_MODES


def read_squares(paths: Sequence[Path], channels: int, resolution: int, fit: Fit) -> Pixels:
    """Decoded images ``(N, channels, resolution, resolution)``."""
    result = np.empty((len(paths), channels, resolution, resolution), dtype=np.uint8)
    for index, path in enumerate(paths):
        name = "/".join(path.parts[-3:])
        with open_image(path, name) as image:
            _decode(image, name)
            result[index] = square(image, channels, resolution, fit)
    return result


def read_square(path: Path, channels: int, resolution: int, fit: Fit) -> Pixels:
    """One decoded image of a folder of this machine, which may be as large as cameras make them."""
    name = "/".join(path.parts[-3:])
    with open_image(path, name, MAX_LOCAL_PIXELS) as image:
        if image.format == "JPEG" and min(image.size) >= 2 * resolution:
            image.draft("RGB" if channels == 3 else "L", (resolution, resolution))
        _decode(image, name)
        return square(image, channels, resolution, fit)


def read_part(
    path: Path, channels: int, resolution: int, chosen: Callable[[int, int], tuple[float, float, float, float]]
) -> Pixels:
    """The part of an image of this machine that ``chosen(width, height)`` names, as left, top, right and bottom in
    pixels, scaled to ``(channels, resolution, resolution)``."""
    name = "/".join(path.parts[-3:])
    with open_image(path, name, MAX_LOCAL_PIXELS) as image:
        width, height = image.size
        box = chosen(width, height)
        if image.format == "JPEG":
            share = resolution / min(box[2] - box[0], box[3] - box[1])
            if share <= 0.5:  # decoded at a half, a quarter or an eighth, never below what the part needs
                image.draft("RGB" if channels == 3 else "L", (math.ceil(width * share), math.ceil(height * share)))
        _decode(image, name)
        across, down = image.size[0] / width, image.size[1] / height
        scaled = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        size = (resolution, resolution)
        return _pixels(_eight_bit_of(image, channels).resize(size, Image.Resampling.BILINEAR, scaled), channels)


def square(image: Image.Image, channels: int, resolution: int, fit: Fit) -> Pixels:
    """One image as ``(channels, resolution, resolution)``: squeezed, or scaled by its short side and cut."""
    image = _eight_bit_of(image, channels)
    side = (resolution, resolution)
    if fit == "crop":
        image = ImageOps.fit(image, side, Image.Resampling.BILINEAR)
    elif image.size != side:
        image = image.resize(side, Image.Resampling.BILINEAR)
    return _pixels(image, channels)


def _pixels(image: Image.Image, channels: int) -> Pixels:
    pixels: Pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _eight_bit_of(image: Image.Image, channels: int) -> Image.Image:
    if image.mode in {"I", "I;16", "F"}:
        image = _eight_bit(image)
    return image.convert("L" if channels == 1 else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Deep grey to 8 bits, by the file's own range; Pillow would clip instead."""
    values = np.asarray(image, dtype=np.float64)
    if image.mode == "F":
        values = values * 255 if values.max(initial=0) <= 1 else values
    elif values.max(initial=0) > 255:
        values = values / 257
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))


def _decode(image: Image.Image, name: str) -> None:
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"the file {name} is a broken image ({error}); replace or remove it, then try again") from error
