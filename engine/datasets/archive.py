"""Unpacking an uploaded zip of class folders, trusting nothing in it."""

from __future__ import annotations

import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from engine.datasets.images import SUFFIXES
from engine.datasets.summary import FolderSummary, summarise
from engine.errors import DataError

MAX_FILES = 200_000
MAX_BYTES = 4 * 1024**3
MAX_FILE_BYTES = 64 * 1024**2
MAX_RATIO = 100
RATIO_FREE_BYTES = 64 * 1024**2
"""Small archives may be packed as tightly as they like; beyond this many bytes `MAX_RATIO` holds."""
CHUNK = 1024**2


def unpack(zip_path: Path, target: Path) -> FolderSummary:
    """Unpacks images to ``target/train/<class>/`` and ``target/test/<class>/`` and says what is there.

    Taken as they are: ``train/<class>/*`` with optional ``test/<class>/*``; the same inside one outer folder; class
    folders without ``train/``. Files that are no images are left out and counted. ``target`` must not exist; it appears
    complete or, with a DataError that says why, not at all.
    """
    if target.exists():
        raise DataError(f"there is a folder '{target.name}' already")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
    try:
        ignored = _extract(zip_path, temporary)
        summary = summarise(temporary, ignored)
        temporary.chmod(0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return summary


def _extract(zip_path: Path, folder: Path) -> int:
    """Writes the images; the number of files left out."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(archive, members, zip_path.stat().st_size)
            plan = _layout(members)
            written = 0
            for member, place in plan:
                written += _write(archive, member, folder / place, MAX_BYTES - written)
            return len(members) - len(plan)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"this is not a zip file that can be read ({error}); pack the folder again as .zip") from error
    except RuntimeError as error:
        raise DataError(f"the zip is packed in a way that cannot be read ({error}); pack it with 'deflate'") from error


def _check_members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > MAX_FILES:
        raise DataError(f"the zip holds {len(members):,} files; at most {MAX_FILES:,} are taken")
    for member in archive.infolist():
        name = member.filename
        if name.startswith(("/", "\\")) or ":" in name.split("/")[0] or ".." in name.replace("\\", "/").split("/"):
            raise DataError(f"the zip holds the path '{name}', which lies outside itself; pack the folder itself")
        if "\\" in name:
            raise DataError(f"the zip holds the path '{name}' with a backslash; pack it again with '/' between folders")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"the zip holds the link '{name}'; replace links by the files themselves")
        if member.flag_bits & 1:
            raise DataError("the zip is protected by a password; pack it without one")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES or (total > RATIO_FREE_BYTES and total > packed * MAX_RATIO):
        raise DataError(
            f"the zip unpacks to {total / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB; "
            f"at most {MAX_BYTES / 1e6:,.0f} MB and {MAX_RATIO} times the packed size are taken"
        )


def _layout(members: list[zipfile.ZipInfo]) -> list[tuple[zipfile.ZipInfo, Path]]:
    """Where each image goes, below ``train/<class>/`` or ``test/<class>/``."""
    images = [(member, PurePosixPath(member.filename).parts) for member in members if _is_image(member.filename)]
    if not images:
        raise DataError("the zip holds no images; it needs train/<class>/ folders with image files")
    while len({parts[0] for _, parts in images}) == 1 and all(len(parts) > 2 for _, parts in images):
        if images[0][1][0].casefold() in {"train", "test"}:
            break
        images = [(member, parts[1:]) for member, parts in images]
    tops = {parts[0].casefold() for _, parts in images}
    if "train" not in tops:
        if "test" in tops:
            raise DataError("the zip has a folder test/ but no train/; put the training images in train/<class>/")
        images = [(member, ("train", *parts)) for member, parts in images]
    return [
        (member, Path(parts[0].casefold(), *parts[1:]))
        for member, parts in images
        if parts[0].casefold() in {"train", "test"} and len(parts) > 2
    ]


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, room: int) -> int:
    """Unpacks one file and returns its size; what the archive claims is not believed."""
    limit, size = min(room, MAX_FILE_BYTES), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("xb") as sink:
            while block := source.read(CHUNK):
                size += len(block)
                if size > limit:
                    raise DataError(
                        f"the file {member.filename} is larger than the {limit / 1e6:,.0f} MB that are left for it"
                    )
                sink.write(block)
    except FileExistsError as error:
        raise DataError(f"the zip holds '{member.filename}' twice; keep one of them") from error
    except (OSError, ValueError) as error:
        raise DataError(f"'{member.filename}' cannot be written ({error}); shorten or mend its name") from error
    return size
