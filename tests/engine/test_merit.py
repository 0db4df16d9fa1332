"""The size exponent: results of short trainings are corrected for small networks."""

from __future__ import annotations

import pytest

from engine.benchmarks.additive import AdditiveSpace
from engine.config.algorithms import RandomSearchOptions
from engine.config.search import Budget, Objective, SearchConfig
from engine.errors import ConfigError
from engine.estimate import Estimate
from engine.loop import run
from engine.merit import merit
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from tests.engine.driving import ALGORITHM_OPTIONS, make, search


def test_the_error_shrinks_by_the_cost_to_the_exponent() -> None:
    assert merit(60.0, 16.0, 0.25) == pytest.approx(100 - 40 / 2)
    assert merit(60.0, 16.0, 0.0) == 60.0
    assert merit(60.0, None, 0.25) == merit(60.0, 0.0, 0.25) == 60.0
    assert merit(160.0, 16.0, 0.25) == 160.0, "no accuracy"
    assert merit(90.0, 2.0, 0.1) > merit(90.0, 1.0, 0.1)
    orders = [sorted([(60.0, 4.0), (58.0, 9.0), (61.0, 2.0)], key=lambda p: merit(p[0], u * p[1], 0.1)) for u in (1, 7)]
    assert orders[0] == orders[1] == [(61.0, 2.0), (60.0, 4.0), (58.0, 9.0)]


SPACE = AdditiveSpace([[4, 3, 2, 1]] * 3)
STRONG = SearchProblem(SPACE, Objective(size_exponent=0.5))


class Falling:
    """An estimator whose accuracies fall with the cost, so that the cheapest network has the best score."""

    inline = True

    def estimate_batch(self, items, *, seed, fidelity="default", stop=None):  # type: ignore[no-untyped-def]
        return [Estimate(70.0 - STRONG.cost(item) / 4) for item in items]

    def seconds(self, item: object) -> float | None:
        return 1.0


def test_the_result_is_the_best_by_merit() -> None:
    for exponent, choices in ((0.0, (3, 3, 3)), (0.5, (0, 0, 0))):
        problem = SearchProblem(SPACE, Objective(size_exponent=exponent))
        algorithm = create_algorithm(RandomSearchOptions(), problem, seed=0)
        result = run(algorithm, Falling(), Budget(evaluations=64), 8)
        assert result.best.proposal.architecture.choices == choices


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHM_OPTIONS if "mote_nas" not in name])
def test_every_algorithm_learns_merits(algorithm: str) -> None:
    """With equal accuracies everywhere, the costliest networks lead; MOTE-NAS chooses its finalists in its own way."""
    searching = make(algorithm, STRONG)
    searching.expect_finals(3)
    tried = [p for batch in search(searching, 1, 20, lambda _: 50.0) for p in batch]
    costliest = sorted((-STRONG.cost(p.architecture), p.number) for p in tried)
    assert [p.parent for p in searching.ask(3, stage=1)] == [number for _, number in costliest[:3]]
    for view in searching.buckets():
        assert all(resident.score > 50.0 for resident in view.residents)


def test_scores_that_are_no_accuracies_are_refused() -> None:
    base = {"space": {"kind": "nats_size"}, "dataset": {"kind": "digits"}, "objective": {"size_exponent": 0.1}}
    with pytest.raises(ConfigError) as caught:
        SearchConfig.parse({**base, "estimator": {"kind": "mote"}})
    assert [error.path for error in caught.value.errors] == ["objective.size_exponent"]
    assert SearchConfig.parse({**base, "estimator": {"kind": "short_training"}}).objective.size_exponent == 0.1
