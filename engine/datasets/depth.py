"""Grey images of more than 8 bits: which of them are read, and the scale by which they become 8 bits.

The scale depends on what the file says about its bits, never on the values in it, so that one scene is equally bright
in every file. Floating-point files state no scale. They are read as 0 to 1 if nothing in them is above 1, else as 0 to
255.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

from engine.datasets.failures import ImageError

WHOLE = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes of whole numbers above 8 bits."""
DEEP = WHOLE | {"F"}
GREY_MODES = frozenset({"1", "L", "LA", "La"}) | DEEP
COLOUR_MODES = frozenset({"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"})
BETWEEN = {"LAB": "RGB", "La": "LA"}
"""For each mode that Pillow does not convert to every other mode, the mode to convert it to first."""
SIXTEEN = 65_535
TWELVE = 4_095
SIGNED = 32_767
MOST_FLOAT = 511
"""The largest value of a floating-point image that is accepted: about twice 255, because filters overshoot."""
GREY_PNG = b"\x10\x00"
"""Bit depth 16 and colour type grey, at bytes 24 and 25 of a PNG."""
DEEP_PGM = (b"P2", b"P5", b"Pf")
Values = NDArray[np.floating[Any]]


def eight_bit(image: Image.Image, name: str) -> Image.Image:
    """Return a decoded image with 8 bits per channel; an image that has 8 bits is returned unchanged.

    Raises ImageError, which names ``name``, if the mode is unknown or if a file states no scale for its values.
    """
    if image.mode in WHOLE:
        values, white = _whole(image, name)
        return _grey(values * np.float32(255 / white) if white != SIXTEEN else values / 257)
    if image.mode == "F":
        numbers: Values = np.asarray(image, dtype=np.float32)
        _check_numbers(numbers, name)
        return _grey(numbers * 255 if numbers.max(initial=0) <= 1 else numbers)
    if image.mode not in GREY_MODES | COLOUR_MODES:
        raise ImageError(name, f"has the colour mode {image.mode}, which is not read", "save it as grey or RGB")
    return image


def converted(image: Image.Image, mode: str) -> Image.Image:
    """Return an image of 8 bits in the mode L or RGB."""
    if image.mode == mode:
        return image
    if image.mode in BETWEEN and mode != BETWEEN[image.mode]:
        image = image.convert(BETWEEN[image.mode])
    return image.convert(mode)


def is_rescaled(image: Image.Image) -> bool:
    """Return whether earlier builds turned a decoded image into other pixels, because they scaled it by its own values.

    They read 16 bits as 8 if no value was above 255, and cut big-endian files off at 255.
    """
    if image.mode not in WHOLE:
        return False
    try:
        values, white = _whole(image, "")
    except ImageError:
        return True
    top = float(values.max(initial=0))
    if top == 0:
        return False
    return top <= 255 or white != SIXTEEN or image.mode not in ("I", "I;16") or _is_negative(image)


def may_be_deep(path: Path) -> bool:
    """Return whether a file's first bytes allow more than 8 bits of grey."""
    with path.open("rb") as file:
        head = file.read(32)
    if head.startswith(b"\x89PNG"):
        return head[24:26] == GREY_PNG
    return head.startswith((*TiffImagePlugin.PREFIXES, *DEEP_PGM))


def _whole(image: Image.Image, name: str) -> tuple[Values, int]:
    """Return the values of an image of whole numbers, with 0 as black, and the value of white."""
    values: Values = np.asarray(image).astype(np.float32)
    if not isinstance(image, TiffImageFile):
        return values, SIXTEEN  # Pillow scales PGM files of other depths to 16 bits
    bits = _tag(image, TiffImagePlugin.BITSPERSAMPLE)
    if image.mode == "I":
        if bits != 16:
            raise ImageError(
                name, f"has whole numbers of {bits} bits, which state no brightness", "save it with 8 or 16 bits"
            )
        return values.clip(0), SIGNED
    white = TWELVE if bits == 12 else SIXTEEN
    return (white - values if _is_negative(image) else values), white


def _is_negative(image: Image.Image) -> bool:
    """Return whether 0 is white in a TIFF file; Pillow takes this into account only for images of 8 bits."""
    return isinstance(image, TiffImageFile) and _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1) == 0


def _tag(image: TiffImageFile, number: int, default: int = 8) -> int:
    found = image.tag_v2.get(number, default)
    return int(found[0] if isinstance(found, tuple) else found)


def _check_numbers(numbers: Values, name: str) -> None:
    strange = int(numbers.size - np.isfinite(numbers).sum())
    if strange:
        raise ImageError(
            name, f"has {strange:,} pixels that are no numbers (NaN or infinite)", "fill them, for example with 0"
        )
    top = float(numbers.max(initial=0))
    if top > MOST_FLOAT:
        raise ImageError(
            name,
            f"has floating-point values up to {top:,.6g}, which state no brightness",
            "scale it to 0 to 1 or to 0 to 255, or save it with 8 or 16 bits",
        )


def _grey(values: Values) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))
