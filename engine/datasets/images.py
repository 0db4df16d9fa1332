"""Conversion of image files to arrays: headers, decoding, and scaling of every image to one square size."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from engine.datasets.base import Pixels
from engine.datasets.depth import GREY_MODES, converted, eight_bit, is_rescaled, may_be_deep
from engine.datasets.failures import ImageError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000")
"""Accepted formats, whatever the file's name. Some of Pillow's other formats run programs, such as Ghostscript."""
MAX_PIXELS = 80_000_000
"""Largest image, below Pillow's own limit: decoded it takes 320 MB, or far less for a JPEG (`_reduced`)."""
DECODING = "upright"
"""Part of the digest of images that are read from files. Change it when the same file is decoded to other pixels, so
that earlier decoded images and scores are not used for new ones."""
RESCALED = " by depth"
"""A suffix of `DECODING` for data sets with grey images that earlier builds scaled otherwise (`depth.is_rescaled`)."""
SIDEWAYS = range(5, 9)
"""The EXIF orientations that swap width and height."""
EXIF_ERRORS = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error)
"""Exceptions that Pillow raises for broken EXIF data; the image is then used as it is stored."""
Fit = Literal["resize", "crop"]


def open_image(path: Path, name: str) -> Image.Image:
    """Return the image with only its header read.

    Raises ImageError, which names ``name``, if the file is not an image or has `MAX_PIXELS` or more.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(name, f"has far more than {MAX_PIXELS:,} pixels", "scale it down") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageError(name, "is not a readable image") from error
    width, height = image.size
    if width * height >= MAX_PIXELS:
        image.close()
        found = f"has {width}x{height} = {width * height:,} pixels, images must have fewer than {MAX_PIXELS:,}"
        raise ImageError(name, found, "scale it down")
    return image


@dataclass(frozen=True)
class CheckedImage:
    """Width and height of an upright image, whether it is grey, and whether earlier builds scaled it otherwise."""

    size: tuple[int, int]
    grey: bool
    rescaled: bool = False


def check_image(path: Path, name: str) -> CheckedImage:
    """Return the properties of an image; raises ImageError if it cannot be decoded or used.

    A JPEG is decoded at an eighth of its size, which still reads the whole file.
    """
    with open_image(path, name) as image:
        size = _size(image, name)
        image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
        _decode(image, name)
        eight_bit(image, name)
        return CheckedImage(size, image.mode in GREY_MODES, is_rescaled(image))


def was_rescaled(path: Path) -> bool:
    """Return whether earlier builds scaled an image file otherwise, or used it although it is refused now."""
    if not may_be_deep(path):
        return False
    try:
        return check_image(path, path.name).rescaled
    except ImageError:
        return True


def read_squares(paths: Sequence[Path], channels: int, resolution: int, fit: Fit) -> Pixels:
    """Return decoded images ``(N, channels, resolution, resolution)``."""
    result = np.empty((len(paths), channels, resolution, resolution), dtype=np.uint8)
    for index, path in enumerate(paths):
        result[index] = read_square(path, channels, resolution, fit)
    return result


def read_square(path: Path, channels: int, resolution: int, fit: Fit) -> Pixels:
    """Return one decoded image ``(channels, resolution, resolution)``; the file may be as large as a camera's."""
    name = "/".join(path.parts[-3:])
    with open_image(path, name) as image:
        if min(image.size) >= 2 * resolution:
            _reduced(image, channels, (resolution, resolution))
        _decode(image, name)
        return square(image, channels, resolution, fit, name)


def read_part(
    path: Path, channels: int, resolution: int, chosen: Callable[[int, int], tuple[float, float, float, float]]
) -> Pixels:
    """Return a part of an image, scaled to ``(channels, resolution, resolution)``.

    ``chosen(width, height)`` returns the part's left, top, right and bottom, in pixels of the upright image.
    """
    name = "/".join(path.parts[-3:])
    with open_image(path, name) as image:
        width, height = _size(image, name)
        box = chosen(width, height)
        share = resolution / min(box[2] - box[0], box[3] - box[1])
        if share <= 0.5:  # decode at a half, a quarter or an eighth, but never smaller than the part needs
            _reduced(image, channels, (math.ceil(image.width * share), math.ceil(image.height * share)))
        _decode(image, name)
        across, down = image.width / width, image.height / height
        scaled = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        size = (resolution, resolution)
        return _pixels(_in_mode(image, channels, name).resize(size, Image.Resampling.BILINEAR, scaled), channels)


def _reduced(image: Image.Image, channels: int, least: tuple[int, int]) -> None:
    """Make Pillow decode a JPEG at a half, a quarter or an eighth of its size, as small as ``least`` allows."""
    image.draft("RGB" if channels == 3 else "L", least)


def _size(image: Image.Image, name: str) -> tuple[int, int]:
    """Return width and height of the upright image; a JPEG is not decoded, because its header has them."""
    if not isinstance(image, JpegImageFile):
        _decode(image, name)
        return image.size
    with suppress(*EXIF_ERRORS):
        if image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS:
            return image.height, image.width
    return image.size


def square(image: Image.Image, channels: int, resolution: int, fit: Fit, name: str = "in memory") -> Pixels:
    """Return one image as ``(channels, resolution, resolution)``: resized, or scaled by its short side and cropped.

    Raises ImageError, which names ``name``, if the image cannot be used.
    """
    image = _in_mode(image, channels, name)
    side = (resolution, resolution)
    if fit == "crop":
        image = ImageOps.fit(image, side, Image.Resampling.BILINEAR)
    elif image.size != side:
        image = image.resize(side, Image.Resampling.BILINEAR)
    return _pixels(image, channels)


def _pixels(image: Image.Image, channels: int) -> Pixels:
    pixels: Pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _in_mode(image: Image.Image, channels: int, name: str) -> Image.Image:
    return converted(eight_bit(image, name), "L" if channels == 1 else "RGB")


def _decode(image: Image.Image, name: str) -> None:
    """Decode the pixels in place and turn them upright by EXIF; raises ImageError if the file is broken."""
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageError(name, f"is a broken image ({error})") from error
    with suppress(*EXIF_ERRORS):
        ImageOps.exif_transpose(image, in_place=True)
