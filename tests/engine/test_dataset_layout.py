"""Zips and folders of this machine are accepted or refused in the same layouts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config.datasets import FoldersOptions, UploadOptions
from engine.datasets import listing
from engine.datasets.archive import unpack
from engine.datasets.base import DatasetInfo
from engine.datasets.folders import FolderData
from engine.datasets.listing import TRIED
from engine.datasets.recognition import is_image_file
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


def parts(**counts: int) -> dict[str, bytes]:
    """Return the files of parts; ``__`` in a part's name stands for ``/`` and the number counts images per class."""
    files: dict[str, bytes] = {}
    for name, count in counts.items():
        files |= class_files(name.replace("__", "/") + "/", count=count)
    return files


def flat(*folders: str) -> dict[str, bytes]:
    """Return three images directly in each folder."""
    return {f"{folder}/{index}.png": picture(index) for folder in folders for index in range(3)}


SPLITS = {
    "Kaggle's tumours": (parts(Training=5, Testing=2), 4),
    "scraped": (parts(training_set__training_set=5, test_set__test_set=2), 4),
    "Intel's scenes": (parts(seg_train__seg_train=5, seg_test__seg_test=2) | flat("seg_pred/seg_pred"), 4),
    "joined words": (parts(TrainImages=5, testimages=2), 4),
    "years": (parts(train2017=5, val2017=2), 4),
    "val": (parts(train=5, val=2), 4),
    "valid": (parts(Train=5, Valid=2), 4),
    "validation": (parts(train=5, validation=2), 4),
    "dev": (parts(train=5, dev=2), 4),
    "three parts": (parts(train=5, val=3, test=2), 4),
    "an unlabelled test": (parts(train=5, val=2) | flat("test"), 4),
    "an unlabelled test in a folder": (parts(train=5, val=2) | flat("test/test"), 4),
    "only unlabelled tests": (parts(train=5) | flat("test/images"), 0),
    "macOS's copy in the folder": (parts(xray__train=5, xray__test=2, xray__xray__train=4, xray__xray__test=1), 4),
    "a folder named as a part": (parts(test__train=5, test__test=2), 4),
    "parts in a folder train": (parts(train__train=5, train__val=2), 4),
    "parts inside classes": (
        {f"{c}/train/{i}.png": picture(i) for c in "ab" for i in range(5)}
        | {f"{c}/test/{i}.png": picture(i) for c in "ab" for i in range(2)},
        4,
    ),
    "images below classes": ({f"train/{c}/images/{i}.png": picture(i) for c in "ab" for i in range(5)}, 0),
}


@pytest.mark.parametrize("read", [as_zip, as_folder])
@pytest.mark.parametrize("seen", SPLITS)
def test_parts_are_no_classes(tmp_path: Path, read: Read, seen: str) -> None:
    files, tests = SPLITS[seen]
    info = read(tmp_path, files)
    assert info.class_names == ("a", "b")
    assert (info.train_count + info.valid_count, info.test_count) == (10, tests)


@pytest.mark.parametrize("read", [as_zip, as_folder])
@pytest.mark.parametrize(
    ("files", "classes"),
    [
        (flat("train", "bus", "car"), ("bus", "car", "train")),
        (flat("vehicles/train", "vehicles/bus"), ("bus", "train")),
        (flat("test", "control"), ("control", "test")),
        (flat("train/train", "train/bus", "test/train", "test/bus"), ("bus", "train")),
        (flat("train/train", "train/test"), ("test", "train")),
        (flat("train_station", "bus_station"), ("bus_station", "train_station")),
        (flat("cat/indoor", "cat/outdoor", "dog/outdoor"), ("cat", "dog")),
        (flat("train/cat/indoor", "train/cat/outdoor", "train/dog/indoor", "train/dog/outdoor"), ("cat", "dog")),
        (flat("train", "bus", "train/more"), ("bus", "train")),
        (flat("unlabeled/one", "labeled/one"), ("labeled", "unlabeled")),
        (flat("test_positive", "test_negative"), ("test_negative", "test_positive")),
    ],
)
def test_a_class_may_be_named_as_a_part(
    tmp_path: Path, read: Read, files: dict[str, bytes], classes: tuple[str, ...]
) -> None:
    assert read(tmp_path, files).class_names == classes


@pytest.mark.parametrize("read", [as_zip, as_folder])
@pytest.mark.parametrize(
    ("files", "words"),
    [
        (flat("train", "test"), r"test/, train/ hold images without class folders"),
        (flat("train", "test", "bus"), r"test/, train/ hold images without class folders"),
        (flat("train"), r"train/ holds images without class folders"),
        (flat("train_cat", "train_dog", "test_cat", "test_dog"), r"hold images without class folders"),
        (parts(train1=3, train2=3), r"train1/, train2/ are all folders for the same part"),
        (parts(train=3, entrainement=3, essai=2), r"not clear whether train/ is a class"),
        (parts(entrainement=3, essai=3), r"entrainement/, essai/ all contain the folders a/, b/"),
        (parts(color=3, grayscale=3, segmented=3), r"all contain the folders a/, b/"),
        (parts(amazon__images=3, webcam__images=3), r"amazon/, webcam/ all contain the folders a/, b/"),
        (parts(part1=3, part2=3), r"part1/, part2/ all contain"),
        (parts(train__part1=3, train__part2=3), r"train/ has part1/, part2/, which have folders themselves"),
        (parts(train__train=3, train__val=3, test=2), r"train/ has train/, val/, which have folders themselves"),
        (parts(one__train=3, one__test=3, two__train=3, two__test=3), r"one/, two/ contain folders for training"),
        (flat("cat/train", "cat/test", "dog"), r"cat/ contain folders for training or testing, but dog/ has none"),
        (flat("cat/train", "dog/test"), r"the class 'dog' has test/, but no train/"),
        (flat("cat", "cat/test", "dog", "dog/test"), r"the class 'cat' contains test/ beside other images"),
        (flat("cat", "dog/train", "dog/other"), r"the class 'dog' contains train/ beside other images"),
        (parts(val=3), r"a folder val/ but no train/"),
        (parts(data__train=3, test=3), r"a folder test/ but no train/; .*seen: data/, test/"),
        (parts(train=3) | class_files("val/", classes="c"), r"val/ has the class 'c', which train/ lacks"),
        (flat("train/brain/a", "train/brain/b", "test/brain/a"), r"two .*classes|at least two are needed"),
    ],
)
def test_what_is_not_clear_is_refused_in_words(tmp_path: Path, read: Read, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, files)


@pytest.mark.parametrize("read", [as_zip, as_folder])
def test_accents_in_two_encodings_are_one_class(tmp_path: Path, read: Read) -> None:
    info = read(tmp_path, flat("train/Z\u00fcrich", "train/Bern", "test/Zu\u0308rich"))
    assert info.class_names == ("Bern", "Z\u00fcrich")
    assert info.test_count == 3
    (tmp_path / "again").mkdir()
    with pytest.raises(DataError, match="differ only in how accents are encoded"):
        read(tmp_path / "again", flat("Z\u00fcrich", "Zu\u0308rich", "Bern"))


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        (as_zip, "8503d07d151740ec37df6bafd90189d6c4bb47267d3260432bdc65f4ae929fb5"),
        (as_folder, "9c660ed8cb6d5af12e7b0ba5dc22e19365773edeaf547f9b49684509d383b16a"),
    ],
)
def test_digests_of_the_usual_layout_are_those_of_the_first_build(tmp_path: Path, read: Read, kept: str) -> None:
    numbered = [
        (part, *pair, i) for part, n in (("train", 5), ("test", 2)) for pair in enumerate("ab") for i in range(n)
    ]
    files = {f"{part}/{name}/{i}.pgm": greymap(10 * number + i) for part, number, name, i in numbered}
    assert read(tmp_path, files).content_hash == kept


def greymap(seed: int) -> bytes:
    """Return an image whose bytes depend on no encoder."""
    return b"P5 12 12 255\n" + bytes((seed * 37 + pixel * 11) % 251 for pixel in range(144))


def test_a_listing_is_made_again_when_a_folder_in_a_class_changes(tmp_path: Path) -> None:
    files = {f"train/{c}/images/{i}.png": picture(i) for c in "ab" for i in range(5)}
    before = as_folder(tmp_path, files)
    (tmp_path / "local/train/a/images/new.png").write_bytes(picture())
    after = as_folder(tmp_path, {})
    assert after.train_count + after.valid_count == 11
    assert after.content_hash != before.content_hash


def test_a_folder_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "again").symlink_to(tmp_path / "ring")
    with pytest.raises(DataError, match="0 class folders with images"):
        TreeData(FoldersOptions(path=str(tmp_path / "ring")), tmp_path)


def test_what_else_lies_beside_the_data_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe is not opened, of many annotations a few are looked into, and a forbidden folder has no images."""
    folder = write_folder(tmp_path / "local", class_files() | class_files("val/", count=2))
    os.mkfifo(folder / "train" / "pipe")
    os.mkfifo(next(place for place in (folder / "train").iterdir() if place.is_dir()) / "pipe.data")
    (folder / "annotations").mkdir()
    for number in range(3 * TRIED):
        (folder / "annotations" / f"{number}.xml").write_text("<annotation/>")
    (folder / "lost+found").mkdir()
    opened: list[str] = []
    scandir = os.scandir

    def forbidding(path: str) -> os.PathLike[str]:
        if str(path).endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    def noting(path: str) -> bool:
        opened.append(path)
        return is_image_file(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    monkeypatch.setattr(listing, "is_image_file", noting)
    info = TreeData(FoldersOptions(path=str(folder)), tmp_path).info
    assert (len(info.class_names), info.test_count) == (2, 4)
    assert sum(path.endswith(".xml") for path in opened) <= 2 * TRIED
