"""Real searches of every algorithm on every space, and a MOTE score of a network of each space."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import torch

from engine.blueprint import InputSpec
from engine.config.datasets import DigitsOptions
from engine.config.estimators import MoteOptions
from engine.config.search import Budget, Objective
from engine.cost import blueprint_cost
from engine.errors import ConfigError
from engine.estimate import Estimate
from engine.estimators import mote as mote_module
from engine.estimators.mote import Profile
from engine.loop import run
from engine.problem import SearchProblem
from engine.registry import ALGORITHMS, SPACES, create_algorithm, create_estimator, create_space, open_data
from engine.space import Architecture, SearchSpace
from engine.spaces.examples import CHAIN_EXAMPLES
from engine.stopping import Stop, never

SPACE_OPTIONS: dict[str, dict[str, object]] = {
    **{kind: {} for kind in SPACES},
    "chain": {"definition": CHAIN_EXAMPLES["digits_chain"]},
}
SPEC = InputSpec(1, 18, 18, 10)
TRIALS = 30
HUGE = [kind for kind in SPACES if kind in ("mobilenet", "darts")]


@cache
def space_of(kind: str) -> SearchSpace:
    return create_space(SPACES[kind].options(kind=kind, **SPACE_OPTIONS[kind]), SPEC)  # type: ignore[arg-type]


class Synthetic:
    """An estimator whose accuracy between 0 and 1 saturates with the parameters and prefers some choices."""

    inline = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        return [Estimate(self.reward(item), seconds=1.0, seed=seed) for item in items]

    def reward(self, item: Architecture) -> float:
        params = self.space.cost(item).params
        liked = sum(hash((layer, choice)) % 7 for layer, choice in enumerate(item.choices)) / (7 * self.space.depth)
        return 0.7 * params / (params + 2e5) + 0.3 * liked

    def seconds(self, item: Architecture) -> float | None:
        return 1.0


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_short_search_finds_feasible_networks_only(algorithm: str, kind: str) -> None:
    space = space_of(kind)
    low, high = space.cost_range((), "madds_m")
    hi = low + 0.8 * (high - low)
    problem = SearchProblem(space, Objective(hi=hi))
    searching = create_algorithm(ALGORITHMS[algorithm].options(kind=algorithm), problem, 3)  # type: ignore[arg-type, call-arg]
    result = run(searching, Synthetic(space), Budget(evaluations=TRIALS), round_size=6)
    assert result.ended == "budget"
    networks = [trial.proposal.architecture for trial in result.trials]
    assert len(set(networks)) == len(networks) == TRIALS
    for trial in result.trials:
        madds = blueprint_cost(space.blueprint(trial.proposal.architecture)).madds / 1e6
        assert trial.feasible == (madds <= hi)
        assert space.from_string(space.to_string(trial.proposal.architecture)) == trial.proposal.architecture
    feasible = [trial.estimate.score for trial in result.trials if trial.feasible]
    # Dynamic programming decides the first layers of every network first: a feasible one may come late.
    assert feasible or algorithm == "dynamic_programming"
    assert (result.best and result.best.estimate.score) == max(feasible, default=None)
    bound = searching.bound()
    assert bound is None or bound >= TRIALS


@pytest.mark.parametrize("kind", HUGE)
def test_dynamic_programming_that_would_try_everything_is_refused_at_its_field(kind: str) -> None:
    problem = SearchProblem(space_of(kind), Objective())
    options = ALGORITHMS["dynamic_programming"].options(kind="dynamic_programming", bucketing="unique")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"would try all .*networks.*choose cost") as caught:
        create_algorithm(options, problem, 0)  # type: ignore[arg-type]
    assert caught.value.errors[0].path == "algorithm.bucketing"


@pytest.mark.parametrize("kind", SPACES)
def test_mote_scores_a_network_of_every_space(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(mote_module, "PROFILES", {"fast": Profile(max_side=8, batch_size=16, steps=4, epochs=2)})
    data = open_data(DigitsOptions(resolution=18), Path())
    space = create_space(SPACES[kind].options(kind=kind, **SPACE_OPTIONS[kind]), data.info.spec)  # type: ignore[arg-type]
    estimator = create_estimator(MoteOptions(), space, data, None)
    (estimate,) = estimator.estimate_batch([space.default()], seed=0)
    assert estimate.error == ""
    assert estimate.terms["connected"] == 1
    assert estimate.score is not None
    assert estimate.terms["landscape"] > 0
    assert estimate.seconds > 0


@pytest.mark.parametrize("kind", SPACES)
def test_the_reduced_network_is_told_with_its_costs(kind: str) -> None:
    space = space_of(kind)
    small = InputSpec(1, 16, 16, 10)
    note = space.reduction_note(small, 32)
    reduced = blueprint_cost(space.reduced_blueprint(space.default(), small, 32))
    assert note.startswith(space.reduced_in_words(small, 32))
    assert f"{reduced.metric('madds_m'):.3g}M multiply-adds" in note
    assert "16x16" in note
