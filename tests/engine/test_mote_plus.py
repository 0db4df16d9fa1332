"""MOTE+: its arithmetic, and the estimate on real, tiny runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.calibration import JOINTS
from engine.config.datasets import DigitsOptions
from engine.config.estimators import MoteOptions, MotePlusOptions
from engine.config.spaces import ChainOptions, NasBench201Options, NatsSizeOptions, SpaceOptions
from engine.cost import blueprint_cost
from engine.errors import EstimateError
from engine.estimate import Estimate, Estimator
from engine.estimators import mote, mote_plus
from engine.estimators.proxies.probe import Probe
from engine.mote import MEAN_SECONDS
from engine.mote_plus import (
    EXCESS_CEILING,
    NAS_BENCH_201,
    MotePlusConstants,
    Scale,
    distinctness_term,
    fit,
    learning_term,
    richness_term,
)
from engine.reduction.profiles import Profile
from engine.registry import create_estimator, create_space, open_data
from engine.space import SearchSpace
from engine.spaces.examples import CHAIN_EXAMPLES

SMALL = NasBench201Options(channels=4, cells=2)
GOOD = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
POOR = "|avg_pool_3x3~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"
CUT_OFF = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|"
UNIT = MotePlusConstants(Scale(0, 1), Scale(0, 1), Scale(0, 1), "test")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setitem(mote.PROFILES, "fast", Profile(max_side=8, batch_size=16, steps=6, epochs=3))


def made(space: SpaceOptions = SMALL, **options: Any) -> tuple[Estimator, SearchSpace]:
    data = open_data(DigitsOptions(), Path())
    built = create_space(space, data.info.spec)
    return create_estimator(MotePlusOptions(**options), built, data, None), built


def one(estimator: Estimator, space: SearchSpace, name: str, seed: int = 0) -> Estimate:
    return estimator.estimate_batch([space.from_string(name)], seed=seed)[0]


def test_a_network_has_to_be_good_at_all() -> None:
    assert float(UNIT.score(0, 0, 0)) == pytest.approx(3 * math.log(0.5))
    assert float(UNIT.score(1, 1, 1)) > float(UNIT.score(1, 2, 0)) > float(UNIT.score(1, 3, -1))
    terms = np.linspace(-20, 20, 401)
    for column in range(3):
        scores = UNIT.score(*(terms if column == place else 0.0 for place in range(3)))
        assert (np.diff(scores[:250]) > 0).all()
        assert (np.diff(scores) >= 0).all()
        assert np.isfinite(scores).all()


def test_terms_are_logarithms_on_a_scale_without_data() -> None:
    # A loss that stays at that of guessing among ten classes is 0, half of it is log 2.
    assert learning_term(11 / math.log(10), 10) == pytest.approx(0)
    assert learning_term(11 / (math.log(100) / 2), 100) == pytest.approx(math.log(2))
    assert learning_term(11 / math.log(10), 10, 4 * MEAN_SECONDS) == pytest.approx(math.log(2))
    assert distinctness_term([0.5, 1.5]) == pytest.approx(0)
    assert distinctness_term([1e9]) == distinctness_term([EXCESS_CEILING]) < distinctness_term([1.0])
    assert math.isfinite(distinctness_term([0.0]))
    assert richness_term([1, 2 * math.e - 1]) == pytest.approx(1)
    assert math.isfinite(richness_term([-1e-6]))


def test_constants_are_a_populations_own_and_forgive_outliers() -> None:
    rng = np.random.default_rng(0)
    terms = rng.normal(1, 2, 1000)
    found = fit(terms)
    assert (found.mean, found.std) == pytest.approx((1, 2), abs=0.2)
    terms[:20] = -1e6
    assert fit(terms).std == pytest.approx(2, abs=0.2)
    assert fit([0.0] * 90 + [1.0] * 10).std == pytest.approx(0.3)
    population = [{"distinctness": value, "richness": -value, "learning": None} for value in terms.tolist()]
    assert list(JOINTS["mote_plus"].fit(population)) == ["distinctness", "richness"]


def test_the_estimate_is_motes_run_with_looks_beside_it() -> None:
    estimator, space = made()
    estimate = one(estimator, space, GOOD)
    run = one(create_estimator(MoteOptions(), space, open_data(DigitsOptions(), Path()), None), space, GOOD)
    assert estimate.curves == run.curves
    assert estimate.terms["mote"] == run.score
    terms = estimate.terms
    assert terms["learning"] == pytest.approx(learning_term(run.terms["landscape"], 10, run.terms["time_seconds"]))
    joint = NAS_BENCH_201.score(terms["learning"], terms["distinctness"], terms["richness"])
    assert estimate.score == terms["mote_plus"] == pytest.approx(float(joint))
    assert estimate.seconds > terms["train_seconds"]
    assert estimate.setup.items() > run.setup.items()


def test_untrained_leaves_the_training_out(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, space = made(profile="untrained")
    trained = one(*made(), GOOD)
    monkeypatch.setattr(mote, "Run", None)
    untrained, poor, cut_off = (one(estimator, space, name) for name in (GOOD, POOR, CUT_OFF))
    for term in ("distinctness", "richness"):
        assert untrained.terms[term] == trained.terms[term]
    assert "learning" not in untrained.terms
    assert not untrained.curves
    assert untrained.score is not None
    assert poor.score is not None
    assert cut_off.score is not None
    assert -math.inf < cut_off.score < poor.score < untrained.score


def test_a_score_depends_on_the_network_and_the_seed_alone() -> None:
    estimator, space = made()
    items = [space.from_string(name) for name in (GOOD, POOR)]
    together = [e.score for e in estimator.estimate_batch(items, seed=1)]
    backwards = [e.score for e in made()[0].estimate_batch(items[::-1], seed=1)]
    assert together == backwards[::-1]
    good, poor, other = (one(estimator, space, *case) for case in ((GOOD, 1), (POOR, 1), (GOOD, 2)))
    assert [good.score, poor.score] == together
    for term in ("distinctness", "richness", "learning"):
        assert other.terms[term] != good.terms[term]
        assert good.terms[term] > poor.terms[term]


def test_networks_without_a_way_through_have_the_least_terms() -> None:
    estimator, space = made()
    cut_off, poor = (one(estimator, space, name) for name in (CUT_OFF, POOR))
    assert cut_off.error == ""
    assert cut_off.score is not None
    assert poor.score is not None
    assert -math.inf < cut_off.score < poor.score
    assert cut_off.terms["connected"] == 0


def test_images_that_cannot_be_told_apart_have_the_least_distinctness(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(probe: Probe) -> float:
        raise EstimateError("an image of the batch has no influence on this network's outputs")

    monkeypatch.setattr(mote_plus, "jacob_cov", fail)
    estimate = one(*made(), GOOD)
    assert estimate.error == ""
    assert estimate.terms["distinctness"] == distinctness_term([EXCESS_CEILING])


def test_repeated_cells_are_looked_at_once() -> None:
    spec = open_data(DigitsOptions(), Path()).info.spec
    twice, once = (create_space(NasBench201Options(channels=4, cells=cells), spec) for cells in (2, 1))
    looked_at = twice.probe_blueprint(twice.from_string(GOOD))
    assert blueprint_cost(looked_at) == once.cost(once.from_string(GOOD)) != twice.cost(twice.from_string(GOOD))
    sizes = create_space(NatsSizeOptions(), spec)
    assert blueprint_cost(sizes.probe_blueprint(sizes.default())) == sizes.cost(sizes.default())


@pytest.mark.parametrize(
    "space", [NatsSizeOptions(), *(ChainOptions(definition=definition) for definition in CHAIN_EXAMPLES.values())]
)
def test_other_spaces(space: SpaceOptions) -> None:
    estimator, built = made(space)
    (estimate,) = estimator.estimate_batch([built.default()], seed=0)
    assert estimate.error == ""
    assert estimate.score is not None
    assert math.isfinite(estimate.score)


def test_a_run_that_fails_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, space = made()
    monkeypatch.setitem(mote.PROFILES, "fast", Profile(8, 16, 30, 3, learning_rate=1e38))
    failed = one(estimator, space, GOOD)
    assert failed.score is None
    assert "not a number" in failed.error


def test_recipes_follow_motes() -> None:
    assert MotePlusOptions.recipe // 100 == MoteOptions.recipe
