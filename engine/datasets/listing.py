"""The image files of a folder of this machine, by class; only names of files are read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from engine.datasets.layout import Layout, Place, composed, find_layout
from engine.datasets.recognition import is_hidden, is_image_file, suffix_of
from engine.errors import DataError

KEPT = 4
"""The number of listings that stay in memory."""
TRIED = 100
"""Files of one unknown suffix that are opened in a folder, to see whether it holds images, before all others with this
suffix count as no images."""
Seen = dict[str, int]
"""When each visited folder was last changed, in nanoseconds."""
_LISTINGS: dict[Path, tuple[Seen, Listing]] = {}


@dataclass(frozen=True)
class Listing:
    """Files by class. ``digest`` covers only their names, because reading 150 GB to open a data set takes too long.

    A changed image with the same name is therefore not noticed, and old evaluations are used for it. Rename the file to
    avoid this.
    """

    class_names: tuple[str, ...]
    train: tuple[tuple[Path, ...], ...]
    test: tuple[tuple[Path, ...], ...]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """Number of files for training, for each class."""
        return {name: len(files) for name, files in zip(self.class_names, self.train, strict=True)}


def list_folder(folder: Path) -> Listing:
    """Return the listing of a folder; it is made once, and again after a folder in it has changed.

    DataError says what the folder lacks.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder '{folder}' on this machine; give the full path of a folder")
    known = _LISTINGS.get(folder)
    if known is not None and all(_changed(place) == when for place, when in known[0].items()):
        return known[1]
    tree = _Folders(folder)
    listing = _listing(folder, find_layout(tree), tree)
    while len(_LISTINGS) >= KEPT:
        _LISTINGS.pop(next(iter(_LISTINGS)), None)
    _LISTINGS[folder] = (tree.seen, listing)
    return listing


class _Folders:
    """The folders below a folder of this machine, in the form that `find_layout` needs.

    ``seen`` has the folders that were looked into.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Place, list[str]] = {}
        self.seen: Seen = {}

    def folders(self, place: Place) -> list[str]:
        if place not in self._known:
            path = os.path.join(self._root, *place)
            folders = [entry for entry in self._entries(path) if entry.is_dir()]
            self._known[place] = [entry.name for entry in folders if self._filled(entry.path, set())]
        return self._known[place]

    def has_images(self, place: Place) -> bool:
        return self._look_into(os.path.join(self._root, *place))[0]

    def files(self, place: Place) -> list[str]:
        """Return the images in a folder and in the folders inside it, as sorted paths from the folder on."""
        found: list[str] = []
        self._collect(os.path.join(self._root, *place), "", found, set())
        return sorted(found)

    def _collect(self, path: str, prefix: str, found: list[str], visited: set[tuple[int, int]]) -> None:
        if self._again(path, visited):
            return
        for entry in self._entries(path):
            if entry.is_dir():
                self._collect(entry.path, f"{prefix}{entry.name}/", found, visited)
            elif is_image_file(entry.path):
                found.append(prefix + entry.name)

    def _filled(self, path: str, visited: set[tuple[int, int]]) -> bool:
        """Return whether a folder or one inside it has images; it is read only as far as needed."""
        if self._again(path, visited):
            return False
        found, inner = self._look_into(path)
        return found or any(self._filled(folder, visited) for folder in inner)

    def _look_into(self, path: str) -> tuple[bool, list[str]]:
        """Return whether a folder has images, and the folders in it if not; one that may not be read has neither."""
        inner: list[str] = []
        tried: Counter[str] = Counter()
        try:
            for entry in self._entries(path):
                suffix = suffix_of(entry.name)
                if entry.is_dir():
                    inner.append(entry.path)
                    continue
                if tried[suffix] < TRIED and is_image_file(entry.path):
                    return True, []
                tried[suffix] += 1
        except PermissionError:
            return False, []
        return False, inner

    def _again(self, path: str, visited: set[tuple[int, int]]) -> bool:
        """Return whether a folder was visited before; a link to an outer folder can lead to it again."""
        status = os.stat(path)
        key = (status.st_dev, status.st_ino)
        if key in visited:
            return True
        visited.add(key)
        return False

    def _entries(self, path: str) -> Iterator[os.DirEntry[str]]:
        self.seen.setdefault(path, _changed(path))
        with os.scandir(path) as entries:
            # Opening a named pipe or a device could wait for ever.
            yield from (e for e in entries if not is_hidden(e.name) and (e.is_dir() or e.is_file()))


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return -1


def _listing(folder: Path, layout: Layout, tree: _Folders) -> Listing:
    train = {name: tree.files(place) for name, place in layout.train.items()}
    test = {name: tree.files(place) for name, place in layout.test.items()}
    if len(train) < 2:
        place = folder.joinpath(*next(iter(layout.train.values()))).parent if train else folder
        raise DataError(
            f"'{place}' has {len(train)} class folders with images, but at least two are needed; name the folder "
            "above train/, or put the images of every class into a folder of its own"
        )
    small = [name for name, files in train.items() if len(files) < 2]
    if small:
        raise DataError(
            f"the class '{small[0]}' has only one image; every class needs two, one to train on and one held out"
        )
    digest = sha256()
    for part, places in ((train, layout.train), (test, layout.test)):
        for name, files in part.items():
            stored = places[name][-1] if composed(places[name][-1]) == name else name
            digest.update(f"{stored}\0{len(files)}\0".encode(errors="surrogateescape"))
            digest.update("\0".join(files).encode(errors="surrogateescape"))

    def paths(part: dict[str, list[str]], places: dict[str, Place]) -> tuple[tuple[Path, ...], ...]:
        roots = {name: folder.joinpath(*place) for name, place in places.items()}
        return tuple(tuple(Path(roots[name], file) for file in part.get(name, ())) for name in train)

    return Listing(tuple(train), paths(train, layout.train), paths(test, layout.test), digest.hexdigest())
