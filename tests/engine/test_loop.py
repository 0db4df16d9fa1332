"""The loop ask, estimate, tell, and the rule of the budget."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.algorithms.layernas import LayerNAS
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Budget, Objective
from engine.errors import Stopped
from engine.estimate import Estimate
from engine.loop import RunResult, run
from engine.problem import SearchProblem
from engine.rounds import BudgetMeter
from engine.space import Architecture
from engine.stopping import Stop, never

SPACE = AdditiveSpace([[4, 3, 2, 1]] * 3)


class AdditiveEstimator:
    """An estimator that takes ten seconds per trial, known beforehand or not."""

    inline = True

    def __init__(self, announced: bool = True) -> None:
        self.reward = AdditiveReward(SPACE, 0)
        self.announced = announced
        self.batches: list[int] = []

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        if stop():
            raise Stopped("asked to stop")
        self.batches.append(len(items))
        return [Estimate(self.reward(item), seconds=10.0, seed=seed) for item in items]

    def seconds(self, item: Architecture) -> float | None:
        return 10.0 if self.announced else None


def _run(estimator: AdditiveEstimator, budget: Budget, round_size: int = 4, hi: float | None = None) -> RunResult:
    problem = SearchProblem(SPACE, Objective(hi=hi))
    return run(LayerNAS(LayerNASOptions(), problem, 0), estimator, budget, round_size)


@pytest.mark.parametrize(
    ("announced", "budget", "trials"),
    [
        (True, Budget(evaluations=9), 9),
        (True, Budget(evaluations=None, seconds=95), 9),
        (True, Budget(evaluations=None, seconds=90), 9),
        (False, Budget(evaluations=None, seconds=95), 10),
        (False, Budget(evaluations=None, seconds=90), 9),
        (True, Budget(evaluations=5, seconds=95), 5),
        (True, Budget(evaluations=None, seconds=5), 0),
    ],
)
def test_the_trial_that_would_exceed_the_budget_is_not_started(announced: bool, budget: Budget, trials: int) -> None:
    result = _run(AdditiveEstimator(announced), budget)
    assert [trial.proposal.number for trial in result.trials] == list(range(trials))
    assert result.ended == "budget"
    assert result.seconds == 10.0 * trials


def test_a_whole_round_is_one_batch_unless_unknown_seconds_are_limited() -> None:
    known = AdditiveEstimator(True)
    unknown = AdditiveEstimator(False)
    _run(known, Budget(evaluations=12))
    _run(unknown, Budget(evaluations=12, seconds=1e6))
    assert known.batches == [4, 4, 4]
    assert unknown.batches == [1] * 12


def test_an_exhausted_space_ends_the_search_with_its_best_feasible_network() -> None:
    estimator = AdditiveEstimator()
    result = _run(estimator, Budget(evaluations=1_000), hi=7)
    assert result.ended == "exhausted"
    assert result.best is not None
    feasible = [trial for trial in result.trials if trial.feasible]
    assert len(feasible) < len(result.trials)
    assert result.best.estimate.score == max(estimator.reward(trial.proposal.architecture) for trial in feasible)


def test_stopping_passes_through() -> None:
    problem = SearchProblem(SPACE, Objective())
    with pytest.raises(Stopped):
        run(LayerNAS(LayerNASOptions(), problem, 0), AdditiveEstimator(), Budget(), 4, stop=lambda: True)


def test_a_meter_admits_a_round_in_proposal_order() -> None:
    meter = BudgetMeter(evaluations=5, seconds=100, trials=1, charged=40)
    assert meter.admits([30, 40, 1]) == 1  # the second would exceed the budget, so the third is not considered
    assert meter.admits([None] * 9) == 4
    assert meter.fits(60)
    assert not meter.fits(60.1)
    meter.charge(60)
    assert not meter.fits(None)
