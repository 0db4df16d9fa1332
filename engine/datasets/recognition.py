"""Which files are images: by their suffix if it is that of an image, and otherwise by their first bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from engine.datasets.images import FORMATS, SUFFIXES

HEAD = 1024
"""Number of bytes from the beginning of a file that decide."""
CAMERA_RAW = frozenset({".arw", ".cr2", ".dng", ".nef", ".nrw", ".orf", ".pef", ".rw2", ".sr2", ".srf", ".srw"})
"""Files of these begin like TIFF files, but Pillow finds only a thumbnail in them. They lie beside the photos."""
SHORT = frozenset({"BMP", "PPM"})
"""Formats that are known by two letters, with which texts begin, too; the rest of their headers is read."""
AVIF_BRANDS = (b"avif", b"avis")
"""The brands of files that are AVIF; others that Pillow tries to read may be HEIC."""


def is_hidden(name: str) -> bool:
    """Whether a name is that of a hidden file or folder, or of one added by macOS."""
    return name.startswith(".") or name == "__MACOSX"


def suffix_of(name: str) -> str:
    """Return a file's suffix in small letters, with its dot; empty if it has none."""
    return os.path.splitext(name)[1].lower()


def is_image(name: str, head: Callable[[], bytes]) -> bool:
    """Whether a file is an image; ``head`` returns its first `HEAD` bytes and is only called for other suffixes."""
    if is_hidden(name):
        return False
    suffix = suffix_of(name)
    return suffix in SUFFIXES or (suffix not in CAMERA_RAW and begins_as_image(head()))


def is_image_file(path: str | Path) -> bool:
    """Whether a file of this machine is an image; False if it cannot be read."""
    return is_image(os.path.basename(path), partial(_head, path))


def begins_as_image(head: bytes) -> bool:
    """Whether bytes are the beginning of an image in one of the accepted formats."""
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
