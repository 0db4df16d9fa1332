"""Unpacking of uploaded zips of class folders; nothing in the zip is trusted."""

from __future__ import annotations

import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from engine.datasets.layout import Layout, Place, composed, find_layout
from engine.datasets.leftovers import LeftOut, left_out
from engine.datasets.names import name_of
from engine.datasets.recognition import HEAD, is_hidden, is_image
from engine.datasets.summary import FolderSummary, summarise
from engine.errors import DataError

MAX_FILES = 200_000
MAX_BYTES = 4 * 1024**3
MAX_FILE_BYTES = 64 * 1024**2
MAX_RATIO = 100
RATIO_FREE_BYTES = 64 * 1024**2
"""Up to this many unpacked bytes any compression ratio is allowed; above it `MAX_RATIO` applies."""
CHUNK = 1024**2
SHOWN = 5
"""The largest number of suffixes that one error names."""


def unpack(zip_path: Path, target: Path) -> FolderSummary:
    """Unpack images to ``target/train/<class>/`` and ``target/test/<class>/`` and return their summary.

    `engine.datasets.layout` defines the accepted layouts. Files that are not images of a class are left out and
    counted. ``target`` must not exist. It is created complete or not at all. If it is not created, a DataError names
    the reason.
    """
    if target.exists():
        raise DataError(f"the folder '{target.name}' already exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
    try:
        ignored, rows = _extract(zip_path, temporary)
        summary = summarise(temporary, ignored, rows)
        temporary.chmod(0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return summary


def _extract(zip_path: Path, folder: Path) -> tuple[int, tuple[LeftOut, ...]]:
    """Write the images and return the number of files left out, and these by folder and suffix."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = [member for member in archive.infolist() if not member.filename.endswith("/")]
            _check_members(archive, members, zip_path.stat().st_size)
            plan, rows = _layout(archive, members)
            written = 0
            for member, place in plan:
                written += _write(archive, member, folder / place, MAX_BYTES - written)
            return len(members) - len(plan), rows
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"the file cannot be read as a zip ({error}); pack the folder again as .zip") from error
    except RuntimeError as error:
        raise DataError(f"the zip's compression is not supported ({error}); pack it with 'deflate'") from error


def _check_members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > MAX_FILES:
        raise DataError(f"the zip holds {len(members):,} files; at most {MAX_FILES:,} are allowed")
    for member in archive.infolist():
        name = name_of(member)
        if name.startswith(("/", "\\")) or ":" in name.split("/")[0] or ".." in name.replace("\\", "/").split("/"):
            raise DataError(f"the zip holds the path '{name}', which leads outside the zip; pack the folder itself")
        if "\\" in name:
            raise DataError(f"the zip holds the path '{name}' with a backslash; pack it again with '/' between folders")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"the zip holds the link '{name}'; replace links by the files themselves")
        if member.flag_bits & 1:
            raise DataError("the zip is protected by a password; pack it without one")
    for member in members:
        if not PurePosixPath(name_of(member)).parts:
            raise DataError(f"the zip holds a file with the path '{name_of(member)}', which names no file; remove it")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES or (total > RATIO_FREE_BYTES and total > packed * MAX_RATIO):
        raise DataError(
            f"the zip unpacks to {total / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB; "
            f"at most {MAX_BYTES / 1e6:,.0f} MB and {MAX_RATIO} times the packed size are allowed"
        )


class _Images:
    """The folders of the images in a zip, in the form that `find_layout` needs."""

    def __init__(self, images: Iterable[Place]) -> None:
        self._folders: dict[Place, set[str]] = {}
        self._filled = {parts[:-1] for parts in images}
        for place in self._filled:
            for depth, name in enumerate(place):
                self._folders.setdefault(place[:depth], set()).add(name)

    def folders(self, place: Place) -> set[str]:
        return self._folders.get(place, set())

    def has_images(self, place: Place) -> bool:
        return place in self._filled


def _layout(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]
) -> tuple[list[tuple[zipfile.ZipInfo, Path]], tuple[LeftOut, ...]]:
    """Return each image with its target path below ``train/<class>/`` or ``test/<class>/``, and what is left out."""
    paths = [PurePosixPath(name_of(member)) for member in members]
    files = [
        (member, path.parts, not _is_hidden(path) and is_image(path.name, partial(_head, archive, member)))
        for member, path in zip(members, paths, strict=True)
    ]
    images = [(member, parts) for member, parts, image in files if image]
    if not images:
        suffixes = sorted({path.suffix.lower() for path in paths if path.suffix})[:SHOWN]
        found = f" (found: {', '.join(suffixes)})" if suffixes else ""
        raise DataError(f"the zip holds no images{found}; it needs train/<class>/ folders with image files")
    layout = find_layout(_Images(parts for _, parts in images))
    targets = _targets(layout)
    placed = []
    for member, parts in images:
        found_at = next((depth for depth in range(1, len(parts)) if parts[:depth] in targets), None)
        if found_at is not None:
            placed.append((member, Path(*targets[parts[:found_at]], *map(composed, parts[found_at:]))))
    return placed, left_out(((parts, image) for _, parts, image in files), layout)


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as source:
        return source.read(HEAD)


def _targets(layout: Layout) -> dict[Place, Place]:
    """Return where the folder of each class is written."""
    parts = {"train": layout.train, "test": layout.test}
    return {place: (part, label) for part, classes in parts.items() for label, place in classes.items()}


def _is_hidden(path: PurePosixPath) -> bool:
    return any(map(is_hidden, path.parts))


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, room: int) -> int:
    """Unpack one file and return its real size, which may differ from the size that the archive states."""
    limit = min(room, MAX_FILE_BYTES)
    size = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("xb") as sink:
            while block := source.read(CHUNK):
                size += len(block)
                if size > limit:
                    raise DataError(f"the file {name_of(member)} is larger than the allowed {limit / 1e6:,.0f} MB")
                sink.write(block)
    except FileExistsError as error:
        raise DataError(f"the zip holds '{name_of(member)}' twice; remove one of the two") from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"'{name_of(member)}' cannot be written ({error}); rename it to a shorter, simpler name"
        ) from error
    return size
