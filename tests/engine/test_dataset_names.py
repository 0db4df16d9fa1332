"""Names in uploads: suffixes that say nothing, encodings, and the report of what is left out."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.config.datasets import FoldersOptions, UploadOptions
from engine.datasets import samples
from engine.datasets.archive import unpack
from engine.datasets.folders import FolderData
from engine.datasets.leftovers import LeftOut
from engine.datasets.summary import MANIFEST, read_summary
from engine.datasets.trees import TreeData
from tests.engine.pictures import class_files, picture, write_folder, write_zip
from tests.engine.test_dataset_archive import refused, refused_file


def saved(seed: int, kind: str) -> bytes:
    """Return a grey image file of a format that Pillow writes."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".jfif", "JPEG"),
        (".JPE", "JPEG"),
        (".png_large", "PNG"),
        ("", "PNG"),
        (".dib", "BMP"),
        (".pbm", "PPM"),
        (".tif16", "TIFF"),
        (".dat", "WEBP"),
        (".avif", "AVIF"),
        (".jp2", "JPEG2000"),
        (".txt", "GIF"),
    ],
)
def test_images_are_known_by_their_content(tmp_path: Path, suffix: str, kind: str) -> None:
    files = {**class_files(), **{f"train/c/{index}{suffix}": saved(index, kind) for index in range(4)}}
    summary = unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "data")
    assert summary.class_counts == {"a": 5, "b": 5, "c": 4}
    assert (summary.ignored, summary.left_out) == (0, ())
    data = FolderData(UploadOptions(id=1), tmp_path / "data")
    splits = data.load()
    assert len(splits.train) + len(splits.valid) == 14
    assert len(samples.folder_strip(data.root, "train", "c", 3, 8, "resize", 4)) > 0
    listed = TreeData(FoldersOptions(path=str(write_folder(tmp_path / "tree", files))), tmp_path).listing
    assert listed.counts == summary.class_counts


def test_what_is_left_out_is_reported_by_class_and_suffix(tmp_path: Path) -> None:
    extra = {
        **{f"train/a/{index}.txt": b"P1 is the first patient" for index in range(3)},
        "train/a/old.BMP.bak": b"BM is not a picture either",
        "train/b/0.NEF": saved(0, "TIFF"),
        **{f"train/c/{index}.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" for index in range(2)},
        "train/notes": b"x",
        "train/loose.png": picture(),
        "val/a/0.png": picture(),
        "others/a/0.png": picture(),
        "__MACOSX/train/a/._0.png": b"x",
        ".DS_Store": b"x",
    }
    files = {**class_files(), **class_files("test/", count=1), **extra}
    summary = unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "data")
    assert summary.class_counts == {"a": 5, "b": 5}
    assert summary.ignored == len(extra)
    reported = "not used, because test/ is the part for the final report"
    assert set(summary.left_out) == {
        LeftOut("train/a", "a", ".txt", 3, "not images"),
        LeftOut("train/a", "a", ".bak", 1, "not images"),
        LeftOut("train/b", "b", ".nef", 1, "not images"),
        LeftOut("train/c", "c", ".heic", 2, "not images"),
        LeftOut("train", "", "", 1, "not images"),
        LeftOut("train", "", ".png", 1, "outside the class folders"),
        LeftOut("val", "", ".png", 1, reported),
        LeftOut("others/a", "", ".png", 1, "outside the class folders"),
    }
    assert read_summary(tmp_path / "data") == summary


def test_an_upload_of_an_earlier_build_has_no_report(tmp_path: Path) -> None:
    summary = unpack(write_zip(tmp_path / "up.zip", class_files()), tmp_path / "data")
    manifest = tmp_path / "data" / MANIFEST
    stored = json.loads(manifest.read_text())
    del stored["left_out"]
    manifest.write_text(json.dumps(stored))
    assert read_summary(tmp_path / "data") == summary


def without_flag(path: Path) -> Path:
    """Clear the flag for UTF-8 names in both headers of every file in a zip."""
    content = bytearray(path.read_bytes())
    for header, place in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        for found in re.finditer(header, content):
            content[found.start() + place] &= ~0x08
    path.write_bytes(content)
    return path


def test_names_in_utf8_without_the_flag(tmp_path: Path) -> None:
    files = class_files("Données/train/", classes=("é", "e\u0301a", "猫")) | class_files(
        "Données/test/", ("e\u0301",), 2
    )
    flagged = unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "flagged")
    summary = unpack(without_flag(tmp_path / "up.zip"), tmp_path / "data")
    assert summary == flagged
    assert set(summary.class_counts) == {"é", "éa", "猫"}
    assert summary.test_counts == {"é": 2}


def test_names_in_the_code_page_of_dos_stay(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "up.zip", class_files(classes=("M_ller", "b")))
    content = path.read_bytes().replace(b"M_ller", "Müller".encode("cp437"))
    path.write_bytes(content)
    assert set(unpack(path, tmp_path / "data").class_counts) == {"Müller", "b"}


def with_unicode_path(path: Path, files: dict[str, bytes], names: dict[str, str]) -> Path:
    """Write a zip whose names are in ASCII, with some names in UTF-8 in Info-ZIP's extra field."""
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            wanted = names.get(name.split("/")[1])
            if wanted:
                field = struct.pack("<BL", 1, zlib.crc32(name.encode())) + name.replace("c_t", wanted).encode()
                info.extra = struct.pack("<HH", 0x7075, len(field)) + field
            opened.writestr(info, content)
    return path


def test_names_in_the_extra_field(tmp_path: Path) -> None:
    path = with_unicode_path(tmp_path / "up.zip", class_files(classes=("c_t", "b")), {"c_t": "ćat"})
    assert set(unpack(path, tmp_path / "data").class_counts) == {"ćat", "b"}


def test_a_name_in_the_extra_field_leads_nowhere(tmp_path: Path) -> None:
    with_unicode_path(tmp_path / "up.zip", class_files(classes=("c_t", "b")), {"c_t": "../../../evil"})
    refused_file(tmp_path, "leads outside the zip")


def test_two_spellings_of_one_file(tmp_path: Path) -> None:
    refused(
        tmp_path,
        {**class_files(), "train/a/\u00e9.png": picture(), "train/a/e\u0301.png": picture()},
        r"holds 'train/a/.*\.png' twice",
    )
    refused(
        tmp_path,
        class_files(classes=("\u00e9", "e\u0301", "b")),
        "the class 'é' has two folders, whose names differ only in how accents are encoded",
    )
