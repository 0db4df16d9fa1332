"""Recognition of image files: by their suffix if it is that of an image, and otherwise by their first bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from engine.datasets.images import FORMATS, SUFFIXES

HEAD = 1024
"""Number of bytes at the beginning of a file that decide whether it is an image."""
CAMERA_RAW = frozenset({".arw", ".cr2", ".dng", ".nef", ".nrw", ".orf", ".pef", ".rw2", ".sr2", ".srf", ".srw"})
"""Files with these suffixes begin like TIFF, but Pillow finds only a thumbnail in them. They lie beside photos."""
SHORT = frozenset({"BMP", "PPM"})
"""Formats that begin with two letters. Texts can begin with the same letters, so the header is read, too."""
AVIF_BRANDS = (b"avif", b"avis")
"""The brands of files that are AVIF; others that Pillow tries to read may be HEIC."""


def is_hidden(name: str) -> bool:
    """Return whether a name is that of a hidden file or folder, or of one added by macOS."""
    return name.startswith(".") or name == "__MACOSX"


def suffix_of(name: str) -> str:
    """Return a file's suffix in small letters, with its dot; empty if it has none."""
    return os.path.splitext(name)[1].lower()


def is_image(name: str, head: Callable[[], bytes]) -> bool:
    """Return whether a file is an image.

    ``head`` returns its first `HEAD` bytes; it is called only if the suffix does not decide.
    """
    if is_hidden(name):
        return False
    suffix = suffix_of(name)
    return suffix in SUFFIXES or (suffix not in CAMERA_RAW and begins_as_image(head()))


def is_image_file(path: str | Path) -> bool:
    """Return whether a file of this machine is an image; False if it cannot be read."""
    return is_image(os.path.basename(path), partial(_head, path))


def begins_as_image(head: bytes) -> bool:
    """Return whether bytes are the beginning of an image in one of the accepted formats."""
    Image.init()
    for name in FORMATS:
        accept = Image.OPEN[name][1] if name in Image.OPEN else None
        if accept is None or accept(head[:16]) is not True:
            continue
        if name == "AVIF":
            return head[8:12] in AVIF_BRANDS
        return name not in SHORT or _has_header(head, name)
    return False


def _has_header(head: bytes, name: str) -> bool:
    try:
        Image.open(io.BytesIO(head), formats=(name,)).close()
    except Image.DecompressionBombError:
        return True
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _head(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""
