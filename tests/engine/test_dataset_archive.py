"""Uploads: accepted files, and refusals with a reason and nothing left behind."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from engine.config.datasets import UploadOptions
from engine.datasets import archive
from engine.datasets.archive import unpack
from engine.datasets.folders import FolderData
from engine.errors import DataError
from tests.engine.pictures import class_files, picture, write_zip

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}


@pytest.mark.parametrize("prefix", ["train/", "my photos/train/", "", "outer/inner/", "Train/"])
def test_layouts_that_are_taken(tmp_path: Path, prefix: str) -> None:
    summary = unpack(write_zip(tmp_path / "up.zip", class_files(prefix)), tmp_path / "data")
    assert summary.class_counts == {"a": 5, "b": 5}
    assert files_below(tmp_path / "data") == set(class_files())
    assert FolderData(UploadOptions(id=1), tmp_path / "data").info.train_count == 8


def test_test_images_and_other_files(tmp_path: Path) -> None:
    extra = {
        "train/notes.txt": b"x",
        "train/a/readme.md": b"x",
        "__MACOSX/train/a/._0.png": b"x",
        "train/loose.png": b"x",
    }
    files = {**class_files(), **class_files("test/", count=1), **extra}
    summary = unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "data")
    assert summary.test_counts == {"a": 1, "b": 1}
    assert summary.ignored == len(extra)
    assert files_below(tmp_path / "data") == set(class_files()) | set(class_files("test/", count=1))


def bomb_header(width: int, height: int) -> bytes:
    """Return a PNG that states a size but has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = struct.pack(">I", 1000) + b"IDAT"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../evil.png": picture()}, r"'\.\./evil\.png', which leads outside"),
        ({"train/a/../../../evil.png": picture()}, "outside"),
        ({"/etc/evil.png": picture()}, "outside"),
        ({".": picture()}, r"a file with the path '\.', which names no file"),
        ({"C:/evil.png": picture()}, "outside"),
        ({"train\\a\\evil.png": picture()}, "backslash"),
        ({"train/a/big.png": bomb_header(9_000, 9_000)}, r"train/a/big\.png has 9000x9000 = 81,000,000 pixels"),
        ({"train/a/wide.png": bomb_header(30_000, 30_000)}, r"train/a/wide\.png has far more than 80,000,000 pixels"),
        ({"train/a/half.png": picture()[:200]}, r"train/a/half\.png is a broken image"),
        ({"train/a/text.png": b"no image"}, r"train/a/text\.png is not a readable image"),
        ({"train/a/program.png": POSTSCRIPT}, r"train/a/program\.png is not a readable image"),
        ({"train/c/0.png": picture()}, "class 'c' has only one training image"),
        ({"test/c/0.png": picture()}, "test/ has the class 'c', which train/ lacks"),
    ],
)
def test_a_faulty_file_among_good_ones(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    refused(tmp_path, {**class_files(), **files}, message)


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files())
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo(""), b"x")
    with pytest.raises(DataError, match="a file with the path '', which names no file"):
        unpack(path, tmp_path / "data")


def test_files_that_cannot_be_read_are_named_together(tmp_path: Path) -> None:
    broken = {f"train/a/bad{index}.png": b"no image" for index in range(7)}
    refused(
        tmp_path,
        {**class_files(), **broken},
        r"^7 files cannot be used: train/a/bad0\.png is not a readable image; .*bad4\.png is not a readable image; "
        r"and 2 more\. Replace, scale down or remove them, then try again$",
    )


def test_photos_of_cameras_are_taken(tmp_path: Path) -> None:
    photo = picture(size=(1_500, 1_000), kind="JPEG")
    summary = unpack(write_zip(tmp_path / "up.zip", {**class_files(), "train/a/photo.jpg": photo}), tmp_path / "data")
    assert summary.class_counts == {"a": 6, "b": 5}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no images"),
        ({"readme.txt": b"x"}, "no images"),
        (class_files(classes="a"), "but train/ has only 'a'"),
        (class_files("test/"), r"test/ but no train/"),
    ],
)
def test_a_zip_without_what_is_needed(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    refused(tmp_path, files, message)


def test_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "up.zip").write_bytes(b"certainly not a zip")
    refused_file(tmp_path, "cannot be read as a zip")


def test_a_zip_that_is_cut_short(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files())
    data = bytearray(path.read_bytes())
    data[60:400] = bytes(340)
    path.write_bytes(bytes(data))
    refused_file(tmp_path, "cannot be read as a zip")


def test_a_packing_method_that_nobody_knows(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files())
    content = bytearray(path.read_bytes())
    for header, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # where both of a file's headers name the method
        for found in re.finditer(header, content):
            content[found.start() + place] = 97
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"compression is not supported .*; pack it with 'deflate'"):
        unpack(path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_symbolic_links(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files())
    with zipfile.ZipFile(path, "a") as opened:
        link = zipfile.ZipInfo("train/a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    refused_file(tmp_path, r"the link 'train/a/link\.png'")


def test_a_name_twice(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files())
    with zipfile.ZipFile(path, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("train/a/0.png", picture())
    refused_file(tmp_path, r"'train/a/0\.png' twice")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    refused(tmp_path, {**class_files(), "train/a/zeros.png": bytes(80 * 1024**2)}, "times the packed size")


def test_limits_hold_for_what_is_really_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 100)
    refused(tmp_path, class_files(), "is larger than")
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    refused(tmp_path, class_files(), "holds 10 files; at most 3")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="already"):
        unpack(write_zip(tmp_path / "up.zip", class_files()), tmp_path / "data")


def refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    write_zip(tmp_path / "up.zip", files)
    refused_file(tmp_path, message)


def refused_file(tmp_path: Path, message: str) -> None:
    """Check that the upload is refused and that only the uploaded file is left."""
    with pytest.raises(DataError, match=message):
        unpack(tmp_path / "up.zip", tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["up.zip"]
