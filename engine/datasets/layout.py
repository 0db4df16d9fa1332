"""Where the folders of classes lie, in an uploaded zip as in a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.datasets.images import SUFFIXES
from engine.errors import DataError

Place = tuple[str, ...]
"""Names of folders, from the root down; empty: the root itself."""
TRAIN = "train"
MOST_OUTER = 20
"""Outer folders that are gone through."""


class Tree(Protocol):
    """What is asked of the folders below a root."""

    def folders(self, place: Place) -> Collection[str]:
        """Names of the folders right there, hidden ones left out."""

    def has_images(self, place: Place) -> bool:
        """Whether image files lie right there, not in a folder of it."""


@dataclass(frozen=True)
class Layout:
    """The folders whose folders are the classes: those to learn from, and those that are reported on, if there are."""

    train: Place
    test: Place | None = None


def find_layout(tree: Tree, reported: Sequence[str]) -> Layout:
    """Taken are ``train/<class>/``, with the first of ``reported`` that lies beside it, and folders of classes alone.

    Outer folders that hold nothing but one folder are gone through. DataError for what is reported on without training
    images.
    """
    place: Place = ()
    while True:
        names = {name.casefold(): name for name in sorted(tree.folders(place))}
        test = next((names[name] for name in reported if name in names), None)
        if TRAIN in names:
            return Layout((*place, names[TRAIN]), None if test is None else (*place, test))
        if test is not None:
            raise DataError(f"there is a folder {test}/ but no train/; put the training images in train/<class>/")
        inner = (*place, *names.values())
        if len(place) == MOST_OUTER or len(names) != 1:
            return Layout(place)
        if tree.has_images(place) or tree.has_images(inner) or not tree.folders(inner):
            return Layout(place)
        place = inner


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the user's own, by its name."""
    return name.startswith(".") or name == "__MACOSX"


def is_image(name: str) -> bool:
    """Whether a file is an image, by its name."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in SUFFIXES
