"""Full trainings: resumed ones equal undisturbed ones, recipes are as stated, files are streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec
from engine.config.datasets import DigitsOptions, FoldersOptions
from engine.config.training import RECIPES, TrainingConfig
from engine.datasets.base import ImageData
from engine.datasets.digits import DigitsData
from engine.datasets.trees import TreeData
from engine.errors import DataError, Stopped
from engine.promotion.augment import augmented
from engine.promotion.run import BEST, LAST, Progress, optimizer_of, rate_factor, train_fully
from engine.registry import open_data

CONFIG = TrainingConfig(epochs=3, batch_size=128, flip=True, crop=True)


def small(spec: InputSpec) -> Blueprint:
    b = BlueprintBuilder(spec)
    b.head(b.dropout(b.conv_bn(b.conv_bn(b.input, 8, 3), 16, 3, 2), 0.1))
    return b.build()


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return DigitsData(DigitsOptions(), Path())


def test_a_training_stopped_anywhere_equals_one_that_was_not(digits: ImageData, tmp_path: Path) -> None:
    blueprint = small(digits.info.spec)
    whole = train_fully(blueprint, digits, CONFIG, tmp_path / "whole")
    asked = 0

    def every_fifth() -> bool:
        nonlocal asked
        asked += 1
        return asked % 7 == 0

    runs = 0
    while True:
        runs += 1
        try:
            parts = train_fully(blueprint, digits, CONFIG, tmp_path / "parts", stop=every_fifth)
            break
        except Stopped:
            assert (tmp_path / "parts" / LAST).is_file()
    assert runs > 3
    assert (parts.valid_accuracy, parts.test_accuracy) == (whole.valid_accuracy, whole.test_accuracy)
    assert parts.progress.train_losses == whole.progress.train_losses
    assert parts.progress.valid_accuracies == whole.progress.valid_accuracies
    first, second = (torch.load(tmp_path / name / BEST, weights_only=True) for name in ("whole", "parts"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_validation_chooses_the_epoch_and_the_seed_counts(digits: ImageData, tmp_path: Path) -> None:
    blueprint, heard = small(digits.info.spec), []

    def tell(progress: Progress) -> None:
        heard.append((progress.epoch, progress.step))

    outcome = train_fully(blueprint, digits, CONFIG.model_copy(update={"seed": 5}), tmp_path, tell=tell)
    curve = outcome.progress.valid_accuracies
    assert outcome.valid_accuracy == max(curve) == curve[outcome.progress.best_epoch - 1]
    assert outcome.test_accuracy is not None
    assert heard[0] == (0, 1)
    assert heard[-1] == (3, 0)
    other = train_fully(blueprint, digits, CONFIG.model_copy(update={"seed": 6}), tmp_path / "other")
    assert other.progress.train_losses != outcome.progress.train_losses
    with pytest.raises(DataError, match="belongs to another training"):
        train_fully(blueprint, digits, CONFIG, tmp_path)


def test_quick_recipe_learns_digits(digits: ImageData, tmp_path: Path) -> None:
    outcome = train_fully(small(digits.info.spec), digits, TrainingConfig(epochs=10), tmp_path)
    assert outcome.valid_accuracy > 80
    assert outcome.test_accuracy is not None
    assert outcome.test_accuracy > 80


def test_recipes_are_as_published() -> None:
    published = TrainingConfig(recipe="nasbench201")
    parts = published.parts
    assert (parts.epochs, parts.batch_size, published.rate, parts.weight_decay) == (200, 256, 0.1, 5e-4)
    assert published.described == "NAS-Bench-201 recipe, 200 epochs"
    short = TrainingConfig(recipe="nasbench201", epochs=5, flip=False)
    assert short.described == "NAS-Bench-201 recipe, shortened: 5 of 200 epochs, without random flips"
    layernas = TrainingConfig(recipe="layernas", batch_size=4096)
    assert layernas.rate == pytest.approx(2.64)
    network = torch.nn.Linear(2, 2)
    assert isinstance(optimizer_of(network, layernas.parts, layernas.rate), torch.optim.RMSprop)
    sgd = optimizer_of(network, parts, published.rate)
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["nesterov"]


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_rates_rise_then_fall_to_zero(recipe: str) -> None:
    total, warmup = 1000, RECIPES[recipe].warmup_share
    rates = [rate_factor(step, total, warmup) for step in range(total)]
    top = rates.index(max(rates))
    assert abs(top - warmup * total) <= 1
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) == pytest.approx(1)
    assert rates[-1] < 1e-5


def test_flips_and_crops_move_whole_images() -> None:
    images = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).reshape(2, 3, 8, 8)
    flipped = augmented(images.repeat(32, 1, 1, 1), np.random.default_rng(0), flip=True, crop=False)
    kinds = {bool(torch.equal(a, b)) for a, b in zip(flipped, images.repeat(32, 1, 1, 1), strict=True)}
    assert kinds == {True, False}
    cropped = augmented(torch.ones(64, 1, 16, 16), np.random.default_rng(0), flip=False, crop=True)
    sums = cropped.sum(dim=(1, 2, 3))
    assert {int(value) for value in sums} <= {(16 - a) * (16 - b) for a in range(3) for b in range(3)}
    assert len(set(sums.tolist())) > 3
    assert torch.equal(cropped, augmented(torch.ones(64, 1, 16, 16), np.random.default_rng(0), flip=False, crop=True))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes of stripes, larger than what is learnt from; ImageNet's layout."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("val", 10)):
        for name in ("across", "down"):
            folder = tmp_path / "tree" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 90, (20, 24, 3), dtype=np.uint8)
                lines = image[::4] if name == "across" else image[:, ::4]
                lines += 150
                Image.fromarray(image).save(folder / f"{number}.png")
    return tmp_path / "tree"


def test_folders_are_streamed_and_sampled(tree: Path, tmp_path: Path) -> None:
    options = FoldersOptions(path=str(tree), resolution=16, sample=100, fit="crop")
    data = open_data(options, tmp_path / "data")
    info = data.info
    assert (info.train_count, info.valid_count, info.test_count) == (96, 24, 20)
    splits = data.load()
    assert [len(split) for split in (splits.train, splits.valid, splits.test)] == [80, 20, 0]
    files = data.files()
    assert files is not None
    assert len(files.train.paths) == 96
    assert set(files.train.paths).isdisjoint(files.valid.paths)
    outcome = train_fully(small(info.spec), data, TrainingConfig(epochs=4, batch_size=16), tmp_path / "run")
    assert outcome.test_accuracy is not None
    assert outcome.test_accuracy > 80
    (tree / "val" / "strange").mkdir()
    Image.new("RGB", (8, 8)).save(tree / "val" / "strange" / "x.png")
    with pytest.raises(DataError, match="'strange', which train/ has not"):
        TreeData(options, tmp_path)
    with pytest.raises(DataError, match="no folder train/"):
        TreeData(FoldersOptions(path=str(tmp_path)), tmp_path)
