"""Reduced data: properties of the chosen labels, and messages and refusals before a search begins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from torch import nn
from torchvision.models import vgg16

from engine.blueprint import InputSpec
from engine.config.estimators import MoteOptions
from engine.config.spaces import NasBench201Options
from engine.datasets.base import DatasetInfo, ImageData, ImageSplits, Split
from engine.errors import ConfigError, EngineError, Stopped
from engine.estimators.mote import MoteEstimator
from engine.networks.build import build
from engine.reduction.architecture import explanation, full_blueprint, is_full
from engine.reduction.choice import Reduction, reduction_for, weights_file
from engine.reduction.encoders import ChannelMean, encode
from engine.reduction.published import LABELS, published_labels
from engine.reduction.reduced import chosen_labels, reduced_split
from engine.reduction.selection import label_means, select_labels
from engine.spaces.nasbench201 import NasBench201Space

CPU = torch.device("cpu")
NAMES = [f"label {number}" for number in range(30)]


class Shades(ImageData):
    """``classes`` labels with 12 grey images each; a label is a shade, and shades form ten distinct families."""

    def __init__(self, classes: int = 30) -> None:
        self.classes = classes

    @property
    def info(self) -> DatasetInfo:
        names = tuple(NAMES[: self.classes])
        spec = InputSpec(1, 8, 8, self.classes)
        return DatasetInfo("shades", spec, names, {}, 12 * self.classes, 0, 0, "shades")

    def load(self) -> ImageSplits:
        rng = np.random.default_rng(0)
        labels = np.repeat(np.arange(self.classes), 12)
        pixels = 24 * (labels % 10)[:, None, None, None] + rng.integers(0, 4, (len(labels), 1, 8, 8))
        train = Split(pixels.astype(np.uint8), labels)
        return ImageSplits(train, train, train)


def options(**changes: object) -> MoteOptions:
    return MoteOptions.model_validate(changes)


@pytest.mark.shared_data
@pytest.mark.parametrize("count", [2, 5, 10, 20])
def test_labels_are_one_a_group_and_the_farthest_from_the_other_groups(shared_data: Path, count: int) -> None:
    read: Mapping[str, Sequence[float]] = json.loads((shared_data / "cifar100_vgg16_label_codes.json").read_text())
    codes = np.array(list(read.values()))
    chosen = select_labels(codes, count, seed=3)
    assert chosen == select_labels(codes, count, seed=3)
    assert len(chosen) == count
    fitted = KMeans(n_clusters=count, n_init=10, random_state=3).fit(codes)
    assert sorted(fitted.labels_[list(chosen)]) == list(range(count))
    for label in chosen:
        group = fitted.labels_[label]
        others = np.delete(fitted.cluster_centers_, group, axis=0)
        summed = [
            np.linalg.norm(codes[member] - others, axis=1).sum() for member in np.flatnonzero(fitted.labels_ == group)
        ]
        assert np.linalg.norm(codes[label] - others, axis=1).sum() == pytest.approx(max(summed))


def test_a_number_of_labels_that_cannot_be_chosen_is_refused() -> None:
    for count in (1, 4):
        with pytest.raises(ValueError, match=f"{count} of 3 labels"):
            select_labels(np.eye(3), count, seed=0)


def test_means_are_taken_a_label() -> None:
    assert label_means([[0.0], [2.0], [5.0]], [1, 1, 0], 2).tolist() == [[5.0], [1.0]]


def test_the_published_labels_are_found_by_name() -> None:
    names = ["beaver", "Willow tree", *(name for name in LABELS[10] if name not in ("beaver", "willow_tree")), "apple"]
    assert published_labels(10, names) == tuple(range(10))
    assert published_labels(10, names[1:]) is None
    assert published_labels(3, names) is None
    assert {count: len(labels) for count, labels in LABELS.items()} == {2: 2, 5: 5, 10: 10}


def test_the_reduction_follows_from_the_data_and_says_why() -> None:
    few = reduction_for(options(), NAMES[:10], 40_000)
    assert (few.labels, few.encoder) == (None, None)
    assert few.why.startswith("5,000 of 40,000 training images of all 10 labels (10 labels are too few")
    many = reduction_for(options(), NAMES, 40_000)
    assert (many.labels, many.encoder) == (10, "pixels")
    assert "10 of 30 labels" in many.why
    named = reduction_for(options(), [*NAMES, *LABELS[10]], 40_000)
    assert named.encoder == "published"
    assert reduction_for(options(reduction="random"), NAMES, 900).why.startswith("all 900 training images")


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"reduction": "labels", "reduced_labels": 30}, "estimator.reduced_labels", "The data have 30 labels"),
        ({"encoder": "published"}, "estimator.encoder", "2, 5, 10 labels"),
        ({"encoder": "vgg16_pool"}, "estimator.encoder", "python -m engine.reduction"),
    ],
)
def test_what_cannot_be_had_is_refused_beforehand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, object], path: str, message: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as raised:
        reduction_for(options(**changes), NAMES, 900)
    assert raised.value.errors[0].path == path
    assert message in raised.value.errors[0].message
    if changes.get("encoder") == "vgg16_pool":
        with pytest.raises(EngineError, match="not on this machine"):
            encode(Shades().load().train.images, "vgg16_pool", CPU)
        weights_file().parent.mkdir(parents=True)
        weights_file().touch()
        assert "VGG-16 (pool)" in reduction_for(options(**changes), NAMES, 900).why


def test_labels_by_pixels_are_distinct_shades_and_numbered_anew() -> None:
    data = Shades()
    reduction = reduction_for(options(), data.info.class_names, data.info.train_count)
    chosen = chosen_labels(data.load().train, data.info.class_names, reduction, CPU)
    assert sorted(label % 10 for label in chosen) == list(range(10))
    split, classes = reduced_split(data, reduction, CPU)
    assert classes == 10
    assert np.bincount(split.labels).tolist() == [12] * 10
    shades = [split.images[split.labels == label].mean() // 24 for label in range(10)]
    assert shades == [label % 10 for label in chosen]


def test_encoding_stops_when_asked() -> None:
    with pytest.raises(Stopped):
        reduced_split(Shades(), Reduction(5, "pixels", ""), CPU, stop=lambda: True)


def test_pool_codes_are_channel_means_of_the_last_map() -> None:
    maps = torch.rand(2, 512, 7, 7)
    code = ChannelMean(nn.Identity())(maps)
    assert code.shape == (2, 49)
    assert torch.allclose(code[1, 8], maps[1, :, 1, 1].mean())


def test_vgg_codes_have_the_published_shapes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """VGG-16 with random weights in torchvision's cache; the real weights differ only in their values."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights_file().parent.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(vgg16(weights=None, init_weights=False).state_dict(), weights_file())
    images = Shades().load().train.images[[0, 13]]
    pool, softmax = (encode(images, encoder, CPU) for encoder in ("vgg16_pool", "vgg16_softmax"))
    weights_file().unlink()
    assert pool.shape == (2, 49)
    assert softmax.shape == (2, 1000)
    assert softmax.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert np.abs(pool[0] - pool[1]).max() > 0


def test_mote_trains_on_the_chosen_labels_only() -> None:
    data = Shades()
    space = NasBench201Space(NasBench201Options(channels=4, cells=1), data.info.spec)
    item = space.default()
    by_labels, at_random = (
        MoteEstimator(options(reduction=kind), space, data).estimate_batch([item], seed=0)[0]
        for kind in ("labels", "random")
    )
    # The loss of guessing among K classes is log K, so the first losses show the number of classes.
    assert by_labels.curves["landscape_losses"][0] < at_random.curves["landscape_losses"][0] - 0.5


def test_none_left_out_keeps_every_image_and_label() -> None:
    data = Shades()
    whole = reduction_for(options(reduction="none"), NAMES, 360)
    split, classes = reduced_split(data, whole, CPU)
    assert (len(split), classes) == (360, 30)
    assert whole.why.startswith("all 360 training images of all 30 labels")


def test_a_full_network_tells_the_kept_labels_apart() -> None:
    data = Shades()
    space = NasBench201Space(NasBench201Options(channels=4, cells=1), data.info.spec)
    full = full_blueprint(space, space.default(), 10)
    assert full.output.shape.channels == 10
    assert build(full)(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    estimator = MoteEstimator(options(network="full", reduction="labels"), space, data)
    setup = estimator.estimate_batch([space.default()], seed=0)[0].setup
    assert setup["reduced data"].startswith("120 images: ")
    assert not is_full(space, "fast")
    assert "full network is trained" in explanation(space, "fast", "full")


def test_options_that_older_scores_do_not_know_change_no_identity() -> None:
    assert "network" not in options(seed=3).identifying()
    assert options(network="full").identifying()["network"] == "full"
