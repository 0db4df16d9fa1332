"""Zips and folders of this machine are accepted or refused in the same layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config.datasets import FoldersOptions, UploadOptions
from engine.datasets.archive import unpack
from engine.datasets.base import DatasetInfo
from engine.datasets.folders import FolderData
from engine.datasets.trees import TreeData
from engine.errors import DataError
from tests.engine.pictures import class_files, picture, write_folder, write_zip

Read = Callable[[Path, dict[str, bytes]], DatasetInfo]
OUTER = "/".join(f"outer {depth}" for depth in range(30))


def as_zip(place: Path, files: dict[str, bytes]) -> DatasetInfo:
    unpack(write_zip(place / "up.zip", files), place / "data")
    return FolderData(UploadOptions(id=1), place / "data").info


def as_folder(place: Path, files: dict[str, bytes]) -> DatasetInfo:
    return TreeData(FoldersOptions(path=str(write_folder(place / "local", files))), place).info


@pytest.mark.parametrize("read", [as_zip, as_folder])
@pytest.mark.parametrize(
    ("files", "tests"),
    [
        (class_files(), 0),
        (class_files() | class_files("test/", count=2), 4),
        (class_files("Train/") | class_files("Test/", count=2), 4),
        (class_files("my photos/train/") | class_files("my photos/test/", count=2), 4),
        (class_files(""), 0),
        (class_files("outer/inner/"), 0),
        (class_files("outer/") | {"outer/notes.txt": b"", "notes.txt": b"", "__MACOSX/outer/._a.png": b""}, 0),
        (class_files() | {"loose.png": picture(), "train/loose.png": picture(), "others/a/0.png": picture()}, 0),
    ],
)
def test_layouts_that_are_taken(tmp_path: Path, read: Read, files: dict[str, bytes], tests: int) -> None:
    info = read(tmp_path, files)
    assert info.class_names == ("a", "b")
    assert (info.train_count + info.valid_count, info.test_count) == (10, tests)


@pytest.mark.parametrize("read", [as_zip, as_folder])
@pytest.mark.parametrize(
    ("files", "words"),
    [
        (class_files("test/"), r"a folder test/ but no train/; put the training images into train/<class>/"),
        (class_files("outer/Test/"), r"a folder Test/ but no train/"),
        (class_files("", classes="a"), r"two .*classes|at least two are needed"),
        ({"0.png": picture(), "1.png": picture(1)}, r"put them into train/<class>/|into a folder of its own"),
        (class_files(f"{OUTER}/"), r"two .*classes|at least two are needed"),
    ],
)
def test_layouts_that_are_refused(tmp_path: Path, read: Read, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, files)


def test_a_folder_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "again").symlink_to(tmp_path / "ring")
    with pytest.raises(DataError, match="0 class folders with images"):
        TreeData(FoldersOptions(path=str(tmp_path / "ring")), tmp_path)
