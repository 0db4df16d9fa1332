"""Proxies and loss curves as estimates: on every space, by seed, with failures in words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.config.datasets import DigitsOptions
from engine.config.estimators import LossCurveOptions, MoteOptions, ProxyOptions
from engine.config.search import SearchConfig
from engine.config.spaces import ChainOptions, NasBench201Options, SpaceOptions
from engine.errors import ConfigError, EngineError, EstimateError
from engine.estimate import Estimate, Estimator
from engine.estimators import loss_curve, mote
from engine.estimators.loss_curve import summaries
from engine.estimators.mote import Profile
from engine.estimators.proxies.probe import Probe
from engine.estimators.proxy import evaluate
from engine.proxies import PROXIES, check_proxy, unmet
from engine.registry import create_estimator, create_space, open_data
from engine.space import SearchSpace
from tests.engine.driving import SPACE_OPTIONS, make_space
from tests.engine.probing import CELL, SMALL_CELL

CUT_OFF = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|"
SMALL = NasBench201Options(channels=4, cells=1)
SWISH = {
    "name": "swish",
    "activation": "swish",
    "stem": {"width": 4},
    "layers": [{"name": "one", "options": {"conv": {"block": "conv", "width": [8, 4]}}}],
}
NETWORKED = sorted(name for name, options in SPACE_OPTIONS.items() if options is not None)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def made(space: SpaceOptions = SMALL, **options: Any) -> tuple[Estimator, SearchSpace]:
    """A proxy on digits."""
    data = open_data(DigitsOptions(), Path())
    built = create_space(space, data.info.spec)
    return create_estimator(ProxyOptions(**{"images": 8, **options}), built, data, None), built


def one(estimator: Estimator, space: SearchSpace, name: str, seed: int = 0, fidelity: str = "default") -> Estimate:
    return estimator.estimate_batch([space.from_string(name)], seed=seed, fidelity=fidelity)[0]


@pytest.mark.parametrize("space", NETWORKED)
def test_every_proxy_scores_networks_of_every_space(space: str) -> None:
    built = make_space(space)
    spec = built.spec
    blueprint = built.blueprint(built.default())
    images = torch.rand(4, spec.channels, spec.height, spec.width, generator=torch.Generator().manual_seed(0))
    probe = Probe(blueprint, images, torch.tensor([0, 1, 0, 1]), 0)
    for name in PROXIES:
        if unmet(name, blueprint):
            assert name == "naswot"
            continue
        assert math.isfinite(evaluate(name, probe)), name


@pytest.mark.parametrize("network", ["full", "reduced"])
def test_a_proxy_is_an_estimate(network: str) -> None:
    estimator, space = made(name="naswot", network=network)
    together = estimator.estimate_batch([space.from_string(name) for name in (CELL, SMALL_CELL)], seed=1)
    for estimate, name in zip(together, (CELL, SMALL_CELL), strict=True):
        assert estimate.error == ""
        assert estimate.terms == {"naswot": estimate.score}
        assert estimate.seconds > 0
        assert one(*made(name="naswot", network=network), name, seed=1).score == estimate.score
        assert one(estimator, space, name, seed=2).score != estimate.score
    assert together[0].score != one(*made(name="naswot", network=network, images=16), CELL, seed=1).score


def test_the_full_and_the_reduced_network_are_two_networks() -> None:
    full, reduced = (one(*made(name="params", network=network), CELL).score for network in ("full", "reduced"))
    space = made()[1]
    assert full == pytest.approx(space.cost(space.from_string(CELL)).metric("params_m"))
    assert reduced != full


def test_what_a_proxy_cannot_say_is_said_in_words() -> None:
    estimator, space = made(name="snip")
    cut_off, fine = estimator.estimate_batch([space.from_string(name) for name in (CUT_OFF, CELL)], seed=0)
    assert cut_off.score is None
    assert "nothing of the image reaches" in cut_off.error
    assert fine.score is not None
    with pytest.raises(EngineError, match="no fidelity 'high'"):
        one(estimator, space, CELL, fidelity="high")


def test_a_score_that_is_no_number_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.estimators.proxies.saliency.snip", lambda probe: math.inf)
    estimate = one(*made(name="snip"), CELL)
    assert estimate.score is None
    assert "SNIP came out infinite" in estimate.error


def test_spaces_without_relu_are_refused_for_naswot_at_its_field() -> None:
    estimator, space = made(ChainOptions(definition=SWISH), name="naswot")
    with pytest.raises(ConfigError) as raised:
        check_proxy("naswot", space)
    assert raised.value.errors[0].path == "estimator.name"
    assert "have none" in raised.value.errors[0].message
    (estimate,) = estimator.estimate_batch([space.default()], seed=0)
    assert "this network has none" in estimate.error
    check_proxy("jacob_cov", space)
    check_proxy("naswot", made()[1])


def test_a_search_names_its_proxy() -> None:
    config = {"space": {"kind": "nasbench201"}, "dataset": {"kind": "digits"}}
    parsed = SearchConfig.parse({**config, "estimator": {"kind": "proxy", "name": "zico"}})
    assert SearchConfig.parse(parsed.as_dict()) == parsed
    with pytest.raises(ConfigError) as raised:
        SearchConfig.parse({**config, "estimator": {"kind": "proxy", "name": "zen_score"}})
    assert raised.value.errors[0].path == "estimator.name"
    with pytest.raises(ConfigError, match="choose the data"):
        SearchConfig.parse({"space": {"kind": "nasbench201"}, "estimator": {"kind": "proxy"}})


def test_summaries_of_a_loss_curve() -> None:
    found = summaries([4.0, 2.0, 1.0], last_epochs=2)
    assert found == {"tse": 7.0, "tse_e": 3.0, "tse_ema": pytest.approx(0.81 * 4 + 0.9 * 2 + 1), "last_loss": 1.0}


def test_loss_curves_are_those_of_mote(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"fast": Profile(max_side=8, batch_size=16, steps=6, epochs=3)}
    monkeypatch.setattr(mote, "PROFILES", tiny)
    monkeypatch.setattr(loss_curve, "PROFILES", tiny)
    data = open_data(DigitsOptions(), Path())
    space = create_space(SMALL, data.info.spec)
    whole = one(create_estimator(MoteOptions(), space, data, None), space, CELL)
    for name in ("tse", "tse_e", "tse_ema", "last_loss"):
        estimator = create_estimator(LossCurveOptions(name=name), space, data, None)
        estimate, cut_off = (one(estimator, space, cell) for cell in (CELL, CUT_OFF))
        assert estimate.curves == {"epoch_losses": whole.curves["epoch_losses"]}
        assert estimate.score == pytest.approx(-summaries(whole.curves["epoch_losses"], 2)[name])
        assert cut_off.score is not None
        assert cut_off.score < -100 + 1e-9 < estimate.score  # type: ignore[operator]


def test_errors_of_one_network_stay_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(probe: Probe) -> float:
        raise EstimateError("this network has only one block")

    monkeypatch.setattr("engine.estimators.proxies.az_nas.trainability", fail)
    assert one(*made(name="trainability"), CELL).error == "this network has only one block"
