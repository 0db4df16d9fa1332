"""Data sets: splits by seed, policies of size, hashes, and the cache that processes share."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.config.datasets import DigitsOptions, TorchvisionOptions, UploadOptions
from engine.datasets.base import held_out, stratified_sample
from engine.datasets.folders import FolderData
from engine.datasets.images import square
from engine.errors import DataError
from engine.registry import open_data
from tests.engine.pictures import class_files, picture, write_folder


def folder_data(root: Path, files: Mapping[str, bytes], **options: object) -> FolderData:
    write_folder(root, files)
    return FolderData(UploadOptions.model_validate({"id": 1, **options}), root)


def test_digits_are_all_there_and_split_as_described() -> None:
    data = open_data(DigitsOptions(), Path("nowhere"))
    info = data.info
    splits = data.load()
    assert (info.train_count, info.valid_count, info.test_count) == tuple(
        map(len, (splits.train, splits.valid, splits.test))
    )
    assert info.train_count + info.valid_count + info.test_count == 1_797
    assert splits.train.images.shape[1:] == (1, 8, 8)
    assert splits.train.images.dtype == np.uint8
    assert splits.train.images.max() == 255
    assert set(splits.valid.labels) == set(range(10))


def test_the_split_seed_moves_validation_images_but_never_test_images() -> None:
    first, again, other = (open_data(DigitsOptions(split_seed=seed), Path()).load() for seed in (0, 0, 1))
    assert np.array_equal(first.valid.images, again.valid.images)
    assert not np.array_equal(first.valid.images, other.valid.images)
    assert np.array_equal(first.test.images, other.test.images)


def test_digits_at_another_size() -> None:
    data = open_data(DigitsOptions(resolution=16), Path())
    assert data.info.spec.height == 16
    assert data.load().valid.images.shape[1:] == (1, 16, 16)


@pytest.mark.parametrize("change", [{"resolution": 9}, {"fit": "crop"}, {"valid_share": 0.3}, {"split_seed": 5}])
def test_the_content_hash_follows_every_option_that_matters(change: dict[str, object]) -> None:
    plain = open_data(DigitsOptions(), Path()).info.content_hash
    assert open_data(DigitsOptions(resolution=8), Path()).info.content_hash == plain
    assert open_data(DigitsOptions.model_validate(change), Path()).info.content_hash != plain


def test_held_out_images_are_an_even_share_of_every_class() -> None:
    labels = np.array([0] * 100 + [1] * 10 + [2] * 2 + [3])
    train, valid = held_out(labels, 0.2, seed=0)
    assert np.bincount(labels[valid], minlength=4).tolist() == [20, 2, 1, 0]
    assert sorted([*train, *valid]) == list(range(len(labels)))
    assert not np.array_equal(valid, held_out(labels, 0.2, seed=1)[1])


def test_a_stratified_sample_takes_every_class_evenly() -> None:
    labels = np.repeat(np.arange(4), [400, 200, 200, 200])
    rows = stratified_sample(labels, 100, seed=0)
    assert np.bincount(labels[rows]).tolist() == [40, 20, 20, 20]
    assert len(set(rows)) == 100
    assert not np.array_equal(rows, stratified_sample(labels, 100, seed=1))
    assert sorted(stratified_sample(labels, 5_000, seed=0)) == list(range(1_000))


def test_folders_of_many_sizes_take_the_commonest(tmp_path: Path) -> None:
    files = class_files(size=(20, 16)) | {"train/a/large.png": picture(1, (90, 70))}
    data = folder_data(tmp_path, files)
    assert (data.info.spec.channels, data.info.spec.height, data.info.spec.classes) == (3, 16, 2)
    assert data.info.class_names == ("a", "b")
    splits = data.load()
    assert splits.train.images.shape == (data.info.train_count, 3, 16, 16)
    assert len(splits.valid) == data.info.valid_count
    assert len(splits.test) == 0


def test_images_above_the_default_limit_are_reduced_to_it(tmp_path: Path) -> None:
    data = folder_data(tmp_path, class_files(count=2, size=(400, 300)))
    assert data.info.spec.height == 224


def test_grey_folders_have_one_channel_and_one_colour_image_makes_three(tmp_path: Path) -> None:
    grey = class_files(grey=True)
    assert folder_data(tmp_path / "grey", grey).info.spec.channels == 1
    assert folder_data(tmp_path / "grey", grey).load().train.images.shape[1] == 1
    mixed = folder_data(tmp_path / "mixed", grey | {"train/a/colour.png": picture()})
    assert mixed.load().train.images.shape[1] == 3


def test_labels_belong_to_their_images(tmp_path: Path) -> None:
    colours = {"dark": 10, "light": 240}
    for name, value in colours.items():
        (tmp_path / "train" / name).mkdir(parents=True)
        for index in range(6):
            Image.new("L", (8, 8), value).save(tmp_path / "train" / name / f"{index}.png")
    splits = FolderData(UploadOptions(id=1), tmp_path).load()
    for split in (splits.train, splits.valid):
        assert np.array_equal(split.images.mean(axis=(1, 2, 3)), np.where(split.labels == 0, 10, 240))


def test_crop_cuts_the_centre_and_resize_squeezes() -> None:
    stripes = np.zeros((8, 24), dtype=np.uint8)
    stripes[:, 8:16] = 255
    image = Image.fromarray(stripes)
    assert square(image, 1, 8, "crop").min() == 255
    assert square(image, 1, 8, "resize").min() == 0


def test_deep_grey_keeps_its_range() -> None:
    deep = Image.fromarray(np.linspace(0, 65_535, 64).reshape(8, 8).astype(np.uint16))
    pixels = square(deep, 1, 8, "resize")
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert 100 < np.median(pixels) < 155


def test_the_content_hash_follows_the_files(tmp_path: Path) -> None:
    one = folder_data(tmp_path / "one", class_files()).info.content_hash
    assert folder_data(tmp_path / "same", class_files()).info.content_hash == one
    assert folder_data(tmp_path / "other", class_files() | {"train/a/0.png": picture(99)}).info.content_hash != one


def test_decoding_is_done_once_and_mapped(tmp_path: Path) -> None:
    first = folder_data(tmp_path, class_files()).load()
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    again = FolderData(UploadOptions(id=1), tmp_path).load()
    assert isinstance(again.train.images, np.memmap)
    assert np.array_equal(first.train.images, again.train.images)


def test_what_a_dead_process_left_unfinished_is_written_again(tmp_path: Path) -> None:
    data = folder_data(tmp_path, class_files())
    unfinished = tmp_path / ".decoded" / f"{data.info.content_hash}.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "train_images.npy").write_bytes(b"cut short")
    assert len(data.load().train) == data.info.train_count
    assert not unfinished.exists()


def _load(root: Path) -> tuple[int, int]:
    splits = FolderData(UploadOptions(id=1), root).load()
    return os.getpid(), int(splits.train.images.astype(np.int64).sum())


def test_two_processes_may_decode_at_once(tmp_path: Path) -> None:
    write_folder(tmp_path, class_files(count=40))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(_load, [tmp_path, tmp_path], chunksize=1)
    assert len({total for _, total in results}) == 1
    kept = [path for path in (tmp_path / ".decoded").iterdir() if path.is_dir()]
    assert len(kept) == 1


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="upload it again"):
        FolderData(UploadOptions(id=1), tmp_path / "gone")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "fashion_mnist"])
def test_absent_torchvision_data_say_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="allow the download"):
        open_data(TorchvisionOptions.model_validate({"name": name}), tmp_path)


def test_broken_torchvision_files_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    data = open_data(TorchvisionOptions(), tmp_path)
    assert (data.info.train_count, data.info.valid_count, data.info.spec.classes) == (40_000, 10_000, 10)
    with pytest.raises(DataError, match="CIFAR-10 could not be read"):
        data.load()


def test_fashion_mnist_in_its_official_files(tmp_path: Path) -> None:
    """A few images in the format torchvision reads: IDX files below FashionMNIST/raw."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        header = b"\0\0\x08\x03" + b"".join(side.to_bytes(4, "big") for side in (count, 28, 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + count.to_bytes(4, "big") + labels.tobytes())
    data = open_data(TorchvisionOptions(name="fashion_mnist", resolution=14), tmp_path)
    splits = data.load()
    assert splits.train.images.shape == (30, 1, 14, 14)
    assert splits.test.images.shape == (20, 1, 14, 14)
    assert set(splits.valid.labels) == set(range(10))


@pytest.mark.shared_data
def test_a_real_upload_is_taken_as_it_is(shared_data: Path, tmp_path: Path) -> None:
    from engine.datasets.archive import unpack

    summary = unpack(shared_data / "cifar100_rd10.zip", tmp_path / "rd10")
    assert (summary.train_count, summary.test_count, len(summary.class_names)) == (5_000, 1_000, 10)
    assert (summary.channels, summary.side, summary.ignored) == (3, 32, 0)
