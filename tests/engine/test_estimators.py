"""MOTE and short training on real, tiny trainings."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine import effort
from engine.blueprint import InputSpec
from engine.config.datasets import DigitsOptions
from engine.config.estimators import MoteOptions, ProxyOptions, ShortTrainingOptions
from engine.config.spaces import ChainOptions, NasBench201Options, NatsSizeOptions, SpaceOptions
from engine.errors import ConfigError, EngineError, Stopped
from engine.estimate import Estimate, Estimator
from engine.estimators import mote as mote_module
from engine.estimators.mote import Profile
from engine.mote import PUBLISHED, landscape_term, speed_term
from engine.networks.build import build
from engine.networks.count import count
from engine.registry import create_estimator, create_space, open_data
from engine.space import SearchSpace
from engine.spaces.examples import CHAIN_EXAMPLES

SMALL_CELL = NasBench201Options(channels=4, cells=1)
GOOD = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
POOR = "|avg_pool_3x3~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"
CUT_OFF = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|"
TINY = Profile(max_side=8, batch_size=16, steps=6, epochs=3)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut both profiles to six steps, for tests in which the numbers do not matter."""
    monkeypatch.setattr(mote_module, "PROFILES", {"fast": TINY, "paper": Profile(8, 32, 8, 4)})


def mote(space: SpaceOptions = SMALL_CELL, **options: object) -> tuple[Estimator, SearchSpace]:
    """Return MOTE on digits, and its space."""
    data = open_data(DigitsOptions(), Path())
    built = create_space(space, data.info.spec)
    return create_estimator(MoteOptions.model_validate(options), built, data, None), built


def short(**options: object) -> tuple[Estimator, SearchSpace]:
    """Return short training on digits, and its space."""
    data = open_data(DigitsOptions(), Path())
    built = create_space(SMALL_CELL, data.info.spec)
    return create_estimator(ShortTrainingOptions.model_validate(options), built, data, None), built


def one(estimator: Estimator, space: SearchSpace, name: str, **keywords: object) -> Estimate:
    """Return a single estimate."""
    keywords = {"seed": 0, **keywords}
    return estimator.estimate_batch([space.from_string(name)], **keywords)[0]  # type: ignore[arg-type]


def test_the_fast_profile_tells_a_good_cell_from_a_poor_one() -> None:
    estimator, space = mote()
    good, poor = (one(estimator, space, name) for name in (GOOD, POOR))
    assert good.score is not None
    assert poor.score is not None
    assert good.score > poor.score
    for estimate in (good, poor):
        epochs = estimate.curves["epoch_losses"]
        points = estimate.curves["landscape_losses"]
        assert (len(epochs), len(points)) == (10, 11)
        assert points[-1] < points[0]
        assert estimate.terms["landscape"] == pytest.approx(landscape_term(points))
        assert estimate.terms["speed"] == pytest.approx(speed_term(epochs, estimate.terms["time_seconds"]))
        joint = PUBLISHED["nasbench201"].mote(estimate.terms["landscape"], estimate.terms["speed"])
        assert estimate.score == estimate.terms["mote"] == pytest.approx(float(joint))
        assert estimate.seconds >= estimate.terms["train_seconds"] > 0
        assert estimate.device == "cpu"


@pytest.mark.usefixtures("tiny")
def test_the_same_seed_gives_the_same_score_alone_or_in_a_batch() -> None:
    estimator, space = mote()
    items = [space.from_string(name) for name in (GOOD, POOR)]
    together = [e.score for e in estimator.estimate_batch(items, seed=3)]
    backwards = [e.score for e in mote()[0].estimate_batch(items[::-1], seed=3)]
    assert together == backwards[::-1]
    assert one(estimator, space, GOOD, seed=3).score == together[0]
    assert one(estimator, space, GOOD, seed=4).score != together[0]


CHILD = """
import torch
torch.set_num_threads(1)
from tests.engine.test_estimators import GOOD, TINY, mote, mote_module, one
mote_module.PROFILES = {"fast": TINY}
print(repr(one(*mote(), GOOD, seed=5).score))
"""


@pytest.mark.usefixtures("tiny")
def test_the_same_seed_gives_the_same_score_in_another_process() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=300)
    assert float(done.stdout) == one(*mote(), GOOD, seed=5).score


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    "space", [NatsSizeOptions(), *(ChainOptions(definition=definition) for definition in CHAIN_EXAMPLES.values())]
)
def test_every_space_can_be_scored(space: SpaceOptions) -> None:
    estimator, built = mote(space)
    (estimate,) = estimator.estimate_batch([built.default()], seed=0)
    assert estimate.error == ""
    assert estimate.score is not None
    assert math.isfinite(estimate.score)


@pytest.mark.usefixtures("tiny")
def test_a_score_says_what_it_was_read_from() -> None:
    estimator, space = mote()
    setup = one(estimator, space, GOOD).setup
    reduced = build(space.reduced_blueprint(space.from_string(GOOD), InputSpec(1, 8, 8, 10), 32))
    counted = count(reduced, InputSpec(1, 8, 8, 10))
    assert f"{counted.metric('params_m'):.4g} M parameters" in setup["reduced network"]
    assert setup["reduced data"].startswith("1,151 images: ")
    assert setup["training"].startswith("6 steps of 16 images")
    assert "held out for validation" in one(*short(epochs=1), GOOD).setup["data"]


@pytest.mark.usefixtures("tiny")
def test_the_full_network_can_be_trained_on_all_images() -> None:
    estimator, space = mote(network="full", reduction="none")
    estimate = one(estimator, space, GOOD)
    counted = space.cost(space.from_string(GOOD))
    assert estimate.setup["full network"].startswith(f"{counted.metric('params_m'):.4g} M parameters")
    assert estimate.setup["reduced data"].startswith("1,151 images: all 1,151 training images")
    assert estimate.score not in (None, one(*mote(), GOOD).score)


@pytest.mark.usefixtures("tiny")
def test_fit_trains_from_every_point_of_the_slice() -> None:
    evaluated = one(*mote(landscape_mode="evaluate"), GOOD)
    fitted = one(*mote(landscape_mode="fit"), GOOD)
    assert evaluated.curves["epoch_losses"] == fitted.curves["epoch_losses"]
    assert evaluated.curves["landscape_losses"] != fitted.curves["landscape_losses"]
    # An epoch from the initial weights is the training's own first epoch.
    assert fitted.curves["landscape_losses"][0] == pytest.approx(fitted.curves["epoch_losses"][0], rel=1e-6)


@pytest.mark.usefixtures("tiny")
def test_wall_time_uses_measured_seconds_and_deterministic_does_not() -> None:
    wall = one(*mote(time_model="wall"), GOOD)
    assert wall.terms["time_seconds"] == wall.terms["train_seconds"]
    good, poor = (one(*mote(), name).terms["time_seconds"] for name in (GOOD, POOR))
    assert good / poor == pytest.approx((7.1 + 2 + 2 * 3) / (7.1 + 2))
    assert poor < 7.53 < good


@pytest.mark.usefixtures("tiny")
def test_profiles_and_fidelities() -> None:
    published = one(*mote(profile="paper"), GOOD)
    assert len(published.curves["epoch_losses"]) == 4
    by_fidelity = one(*mote(), GOOD, fidelity="paper")
    assert by_fidelity.score == published.score
    assert by_fidelity.fidelity == "paper"
    with pytest.raises(EngineError, match="no fidelity 'slow'"):
        one(*mote(), GOOD, fidelity="slow")


def test_the_paper_profile_is_what_was_published() -> None:
    profile = mote_module.PROFILES["paper"]
    assert (profile.max_side, profile.batch_size, profile.steps, profile.epochs) == (32, 1024, 250, 50)
    assert (profile.learning_rate, profile.batch_norm_momentum, profile.batch_norm_eps) == (1e-3, 0.003, 1e-4)


def test_forecasts_know_the_profiles_and_count_validation() -> None:
    fast = effort.of_mote(MoteOptions(), 1_151, 287)
    assert (fast.passes.batches, fast.passes.images) == (100 + 11 / 3, 3_200 + 11 * 256 / 3)
    assert (fast.max_side, effort.of_mote(MoteOptions(network="full"), 1_151, 287).max_side) == (8, None)
    paper = effort.of_mote(MoteOptions(profile="paper", landscape_mode="fit"), 50_000, 0)
    assert (paper.passes.batches, paper.passes.images) == (250 * (1 + 11 / 50), 256_000 * (1 + 11 / 50))
    _, space = mote()
    few, many = (effort.seconds(ShortTrainingOptions(epochs=2), space, 1_151, valid) for valid in (287, 50_000))
    assert few is not None
    assert many is not None
    assert 0 < few < many / 2
    whole = create_space(NasBench201Options(), space.spec)
    changes: list[dict[str, str]] = [{}, {"network": "full"}, {"landscape_mode": "fit"}]
    found = [effort.seconds(MoteOptions.model_validate(change), whole, 1_151, 287) or 0 for change in changes]
    assert found[0] < min(found[1:])
    assert effort.seconds(ProxyOptions(), space, 1_151, 287) is None


@pytest.mark.usefixtures("tiny")
def test_a_network_cut_off_from_its_image_ranks_below_all_others() -> None:
    estimator, space = mote()
    cut_off, poor = (one(estimator, space, name) for name in (CUT_OFF, POOR))
    assert cut_off.score is not None
    assert poor.score is not None
    assert cut_off.score < poor.score
    assert (cut_off.terms["connected"], poor.terms["connected"]) == (0.0, 1.0)
    assert not cut_off.curves


@pytest.mark.usefixtures("tiny")
def test_what_fails_for_one_network_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, space = mote()
    monkeypatch.setattr(mote_module, "PROFILES", {"fast": Profile(8, 16, 30, 3, learning_rate=1e38)})
    failed, cut_off = estimator.estimate_batch([space.from_string(GOOD), space.from_string(CUT_OFF)], seed=0)
    assert failed.score is None
    assert "not a number" in failed.error
    assert cut_off.score is not None


@pytest.mark.parametrize("make", [mote, short])
def test_stop_ends_an_estimate(make: object) -> None:
    estimator, space = make()  # type: ignore[operator]
    answers = iter([False, False, True])
    with pytest.raises(Stopped):
        one(estimator, space, GOOD, stop=lambda: next(answers))


def test_training_without_data_names_the_field() -> None:
    space = create_space(SMALL_CELL, open_data(DigitsOptions(), Path()).info.spec)
    with pytest.raises(ConfigError) as raised:
        create_estimator(MoteOptions(), space, None, None)
    assert raised.value.errors[0].path == "dataset"


def test_short_training_learns_and_is_scored_by_validation_accuracy() -> None:
    estimator, space = short(epochs=3, batch_size=32, learning_rate=0.1)
    estimate = one(estimator, space, GOOD)
    assert estimate.score == estimate.terms["valid_accuracy"] == estimate.curves["valid_accuracy"][-1]
    assert estimate.score is not None
    assert estimate.score > 70
    assert len(estimate.curves["epoch_losses"]) == len(estimate.curves["valid_accuracy"]) == 3
    assert estimate.curves["epoch_losses"][-1] < estimate.curves["epoch_losses"][0]
    again = one(short(epochs=3, batch_size=32, learning_rate=0.1)[0], space, GOOD)
    assert again.curves == estimate.curves
    other = one(estimator, space, GOOD, seed=1)
    assert other.curves != estimate.curves


def test_one_epoch_is_scored_above_chance() -> None:
    """There are ten classes; with batch norm's statistics of old weights nearly all networks were at 10 percent."""
    estimator, space = short(epochs=1, batch_size=64)
    assert one(estimator, space, GOOD).score > 20


def test_short_training_takes_its_epochs_from_the_fidelity() -> None:
    estimator, space = short(epochs=9)
    assert len(one(estimator, space, GOOD, fidelity="epochs:1").curves["valid_accuracy"]) == 1
    with pytest.raises(EngineError, match="epochs:N"):
        one(estimator, space, GOOD, fidelity="long")
