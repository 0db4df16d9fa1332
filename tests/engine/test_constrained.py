"""Limits on costs: nothing infeasible is reported, and LayerNAS meets them within its first sweep over the layers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.algorithms.layernas import LayerNAS
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Budget, Constraint, Objective
from engine.estimate import Estimate
from engine.loop import run
from engine.problem import SearchProblem
from engine.space import Architecture
from engine.stopping import Stop, never
from tests.engine.driving import ALGORITHM_OPTIONS, make, make_space, score
from tests.engine.test_latency import invented

SPACES = ("additive", "nasbench201", "nasbench201-edge", "nats_size", "mobilenet", "chain-mobile_chain")
LIMITS: dict[str, dict[str, tuple[float | None, float]]] = {
    "madds": {"madds_m": (None, 0.4)},
    "band": {"madds_m": (0.3, 0.5)},
    "params": {"params_m": (None, 0.3)},
    "latency": {"latency_ms": (None, 0.4)},
    "latency band": {"latency_ms": (0.3, 0.5)},
    "latency besides": {"madds_m": (None, 0.5), "latency_ms": (None, 0.6)},
    "activations": {"activation_mb": (None, 0.5)},
    "three at once": {"madds_m": (None, 0.5), "params_m": (None, 0.5), "activation_mb": (None, 0.7)},
}
"""Limits as shares of each metric's range; the first metric is bucketed, the others are constraints."""


class Made:
    """An estimator without training, in which the costliest networks score best, so that limits are tested."""

    inline = True

    def __init__(self, problem: SearchProblem) -> None:
        self.problem = problem

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        return [Estimate(self.problem.cost(item) + (score(item) or 0.0)) for item in items]

    def seconds(self, item: Architecture) -> float | None:
        return 0.0


def problem_of(name: str, limits: str) -> SearchProblem:
    space = make_space(name)
    ranges = {}
    if "latency_ms" in LIMITS[limits]:
        space.latency = invented(space)
    for metric, shares in LIMITS[limits].items():
        low, high = space.cost_range((), metric)
        ranges[metric] = [None if share is None else low + share * (high - low) for share in shares]
    (first, (lo, hi)), *others = ranges.items()
    constraints = tuple(Constraint(metric=metric, lo=low, hi=high) for metric, (low, high) in others)
    return SearchProblem(space, Objective(cost_metric=first, latency_table=1, lo=lo, hi=hi, constraints=constraints))


def cases() -> list[tuple[str, str]]:
    """Return the cases; the synthetic space has only multiply-adds."""
    return [(name, limits) for name in SPACES for limits in LIMITS if name != "additive" or limits in ("madds", "band")]


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize(("name", "limits"), cases())
def test_the_first_sweep_over_the_layers_finds_a_feasible_network(name: str, limits: str, seed: int) -> None:
    problem = problem_of(name, limits)
    depth = problem.space.depth
    sweep = 1 + len(problem.space.options(())) + depth - 1  # baseline, first layer, one selection at each later layer
    result = run(LayerNAS(LayerNASOptions(), problem, seed), Made(problem), Budget(evaluations=sweep), 1)
    assert result.best is not None, f"nothing feasible among {len(result.trials)} of {sweep}"
    for metric, lo, hi in problem.limits:
        cost = problem.cost(result.best.proposal.architecture, metric)
        assert (lo or 0.0) <= cost
        assert hi is None or cost <= hi


@pytest.mark.parametrize("limits", ["band", "three at once"])
@pytest.mark.parametrize("algorithm", ALGORITHM_OPTIONS)
def test_no_algorithm_reports_what_breaks_a_limit(algorithm: str, limits: str) -> None:
    problem = problem_of("nats_size", limits)
    result = run(make(algorithm, problem), Made(problem), Budget(evaluations=80), 8)
    assert result.best is not None or algorithm == "dynamic_programming"
    if result.best is not None:
        best = result.best.proposal.architecture
        assert all((lo or 0.0) <= problem.cost(best, m) <= hi for m, lo, hi in problem.limits if hi is not None)
        if algorithm.startswith("layernas"):  # the others propose feasible networks only
            all_feasible = all(trial.feasible for trial in result.trials)
            assert all_feasible == (algorithm == "layernas-scaled")
