"""Full trainings: resumed trainings equal undisturbed ones, recipes are as stated, files are streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import ks_2samp
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.v2 import functional as colours

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec
from engine.config.datasets import DigitsOptions, FoldersOptions
from engine.config.training import RECIPES, TrainingConfig
from engine.datasets.base import ImageData
from engine.datasets.digits import DigitsData
from engine.datasets.images import read_part
from engine.datasets.trees import TreeData
from engine.errors import DataError, Stopped
from engine.full_training.augment import augmented
from engine.full_training.precision import Precision
from engine.full_training.run import BEST, LAST, TrainingProgress, optimizer_of, rate_factor, train_fully
from engine.full_training.views import centre_box, random_box
from engine.networks.build import build
from engine.registry import open_data
from engine.training import ImageSet, renew_statistics, statistics_rows

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
    blueprint = small(digits.info.spec)
    heard = []

    def tell(progress: TrainingProgress) -> None:
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


def test_after_short_epochs_statistics_are_those_of_the_weights(digits: ImageData, tmp_path: Path) -> None:
    train_fully(small(digits.info.spec), digits, CONFIG, tmp_path)
    network = build(small(digits.info.spec))
    rows = statistics_rows(len(digits.load().train.labels), CONFIG.seed)
    network.load_state_dict(torch.load(tmp_path / BEST, weights_only=True))
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    images = ImageSet.of(digits.load().train, torch.device("cpu"))
    renew_statistics(network, (images.batch(part)[0] for part in rows))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, kept[name], msg=name)


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
    total = 1000
    warmup = RECIPES[recipe].warmup_share
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


def test_parts_are_drawn_as_torchvision_draws_them() -> None:
    rng = np.random.default_rng(0)
    boxes = np.array([random_box(500, 375, rng) for _ in range(2000)])
    assert boxes.min() >= 0
    assert (boxes[:, 2:].max(axis=0) <= (500, 375)).all()
    sides = boxes[:, 2:] - boxes[:, :2]
    areas = sides.prod(axis=1) / (500 * 375)
    ratios = sides[:, 0] / sides[:, 1]
    assert ((areas > 0.079) & (areas <= 1)).all()
    assert ((ratios > 0.74) & (ratios < 1.35)).all()
    torch.manual_seed(0)
    theirs = [RandomResizedCrop.get_params(torch.empty(3, 375, 500), [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(2000)]
    their_areas = [h * w / (500 * 375) for _, _, h, w in theirs]
    assert ks_2samp(areas, their_areas).pvalue > 0.01
    assert ks_2samp(boxes[:, 0], [left for _, left, _, _ in theirs]).pvalue > 0.01
    assert random_box(1000, 100, rng) == (433, 0, 566, 100)
    assert centre_box(256, 512) == (16, 144, 240, 368)


def test_a_part_is_that_part_of_the_file(tmp_path: Path) -> None:
    pixels = np.zeros((64, 96, 3), dtype=np.uint8)
    pixels[16:48, 32:64] = (200, 100, 50)
    for suffix in ("png", "jpg"):
        Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", quality=95)
        for resolution in (4, 40):  # JPEG decodes the first at an eighth of its size
            seen = read_part(tmp_path / f"a.{suffix}", 3, resolution, lambda width, height: (34, 18, 62, 46))
            assert np.abs(seen.astype(int) - np.array([200, 100, 50])[:, None, None]).max() < 40, (suffix, resolution)


def test_colours_are_torchvisions_image_by_image() -> None:
    images = torch.rand(6, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    seen = augmented(images.clone(), np.random.default_rng(3), flip=False, crop=False, jitter=0.4)
    factors = np.random.default_rng(3).uniform(0.6, 1.4, (3, 6)).astype(np.float32)
    for image, found, (brightness, contrast, saturation) in zip(images, seen, factors.T.tolist(), strict=True):
        expected = colours.adjust_contrast(colours.adjust_brightness(image, brightness), contrast)
        assert torch.allclose(found, colours.adjust_saturation(expected, saturation), atol=1e-5)
    grey = augmented(images[:, :1].clone(), np.random.default_rng(3), flip=False, crop=False, jitter=0.4)
    assert grey.shape == (6, 1, 5, 5)


def test_mixed_precision_scales_gradients_and_goes_on_from_its_state() -> None:
    """Test the CUDA path as far as a CPU can run it."""
    rows = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    target = torch.arange(16) % 2

    def trained(steps: int, state: dict | None = None, network: torch.nn.Module | None = None) -> tuple:
        torch.manual_seed(0)
        network = network or torch.nn.Linear(8, 2)
        precision = Precision(torch.device("cpu"), mixed=True)
        precision.load_state_dict(state or {})
        optimizer = torch.optim.SGD(network.parameters(), 0.5)
        for _ in range(steps):
            with precision.forward():
                out = network(rows)
                loss = torch.nn.functional.cross_entropy(out, target)
            assert (out.dtype, loss.dtype) == (torch.float16, torch.float32)
            precision.step(loss, optimizer)
        return network, precision

    whole, precision = trained(6)
    half, before = trained(3)
    resumed, after = trained(3, before.state_dict(), half)
    assert torch.equal(whole.weight, resumed.weight)
    assert precision.state_dict() == after.state_dict() != {}
    assert Precision(torch.device("cpu")).state_dict() == {}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder in ImageNet's layout with two classes of stripes, larger than the network's input."""
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
    parted = TrainingConfig(recipe="imagenet", epochs=1, batch_size=48, dataset=options)
    whole = train_fully(small(info.spec), data, parted, tmp_path / "parted")
    assert "parts of 8 to 100 %" in parted.augmentation
    assert parted.described.endswith("accuracies on the centre of images")
    assert "parts" not in parted.model_copy(update={"crop": False}).augmentation
    turns = iter([False, True, True])
    with pytest.raises(Stopped):
        train_fully(small(info.spec), data, parted, tmp_path / "again", stop=lambda: next(turns))
    again = train_fully(small(info.spec), data, parted, tmp_path / "again")
    assert again.progress.train_losses == whole.progress.train_losses, "threads that decode draw nothing in common"
    (tree / "val" / "strange").mkdir()
    Image.new("RGB", (8, 8)).save(tree / "val" / "strange" / "x.png")
    with pytest.raises(DataError, match="'strange', which train/ lacks"):
        TreeData(options, tmp_path)
    with pytest.raises(DataError, match=r"0 class folders with images, .* name the folder above train/"):
        TreeData(FoldersOptions(path=str(tree / "train" / "across")), tmp_path)
