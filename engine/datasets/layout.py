"""Location of the class folders, in an uploaded zip or in a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.datasets.images import SUFFIXES
from engine.errors import DataError

Place = tuple[str, ...]
"""Names of folders from the root down; the empty tuple is the root itself."""
TRAIN = "train"
MOST_OUTER = 20
"""The largest number of outer folders that are entered."""


class Tree(Protocol):
    """The interface to the folders below a root."""

    def folders(self, place: Place) -> Collection[str]:
        """Return the names of the folders directly in ``place``, without hidden ones."""

    def has_images(self, place: Place) -> bool:
        """Whether image files lie directly in ``place``."""


@dataclass(frozen=True)
class Layout:
    """The folders that contain the class folders: one for training and, if there is one, one for the final report."""

    train: Place
    test: Place | None = None


def find_layout(tree: Tree, reported: Sequence[str]) -> Layout:
    """Return where the class folders lie.

    Accepted are ``train/<class>/``, with the first folder of ``reported`` that exists beside it, and class folders
    without ``train/``. Outer folders that contain only one folder are entered. Raises DataError if there is a folder of
    ``reported`` but no ``train/``.
    """
    place: Place = ()
    while True:
        names = {name.casefold(): name for name in sorted(tree.folders(place))}
        test = next((names[name] for name in reported if name in names), None)
        if TRAIN in names:
            return Layout((*place, names[TRAIN]), None if test is None else (*place, test))
        if test is not None:
            raise DataError(f"there is a folder {test}/ but no train/; put the training images into train/<class>/")
        inner = (*place, *names.values())
        if len(place) == MOST_OUTER or len(names) != 1:
            return Layout(place)
        if tree.has_images(place) or tree.has_images(inner) or not tree.folders(inner):
            return Layout(place)
        place = inner


def is_hidden(name: str) -> bool:
    """Whether a name is that of a hidden file or folder, or of one added by macOS."""
    return name.startswith(".") or name == "__MACOSX"


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in SUFFIXES
