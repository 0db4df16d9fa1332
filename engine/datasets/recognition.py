"""Which files are images, by their names."""

from __future__ import annotations

import os

from engine.datasets.images import SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether a name is that of a hidden file or folder, or of one added by macOS."""
    return name.startswith(".") or name == "__MACOSX"


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in SUFFIXES
