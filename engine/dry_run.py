"""A dry run: the real algorithm on random scores, to see how much of a budget will meet the limits.

Nothing is trained or looked up. Which networks an algorithm proposes depends on the scores, so the counts are only
an approximation of the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from random import Random
from time import monotonic

from engine.algorithms.base import SearchAlgorithm
from engine.config.algorithms import DynamicProgrammingOptions, LayerNASOptions
from engine.config.search import SearchConfig
from engine.estimate import Estimate
from engine.loop import Judge, played
from engine.rounds import BudgetMeter, Rounds
from engine.space import Architecture
from engine.stopping import Stop, never

MOST = 400
"""The largest number of evaluations that a dry run makes."""
HALF = 0.5
"""Share of random networks that meet a limit after it was raised as suggested."""


@dataclass(frozen=True)
class DryRun:
    """How many evaluations were made, how many networks met the limits, and the first one's number, counted from 1."""

    evaluations: int
    feasible: int
    first_feasible: int | None


@dataclass(frozen=True)
class Suggestion:
    """A change that lets more networks meet the limits.

    ``path`` is the dotted path of a field in the configuration, and ``value`` its new value. ``action`` describes
    the change in words.
    """

    path: str
    value: str | float
    action: str


class RandomScores:
    """An estimator that draws a score for each architecture from its choices."""

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one estimate per item, between 0 and 1."""
        return [Estimate(Random(f"{seed}:{item.choices}").random(), fidelity=fidelity, seed=seed) for item in items]

    def seconds(self, item: Architecture) -> float:
        """Return 0: nothing is charged."""
        return 0.0


def dry_run(algorithm: SearchAlgorithm, config: SearchConfig, within: float) -> DryRun:
    """Run a fresh algorithm of the search and count what it finds; finalists are not proposed.

    The run ends after `MOST` evaluations, after the budget for networks, or after about ``within`` seconds.
    """
    budget = config.budget.evaluations
    wanted = MOST if budget is None else min(MOST, max(1, budget - config.finalists))
    end = monotonic() + within
    feasible: list[bool] = []
    rounds = Rounds(algorithm, config.round_size, BudgetMeter(evaluations=wanted))
    for trials in played(rounds, [Judge(RandomScores())]):
        feasible += [trial.feasible for trial in trials]
        if monotonic() > end:
            break
    first = feasible.index(True) + 1 if any(feasible) else None
    return DryRun(len(feasible), sum(feasible), first)


def suggestions(config: SearchConfig, costs: Sequence[float]) -> list[Suggestion]:
    """Return changes that help a search with too few networks within its limits; ``costs`` are of random networks.

    A higher limit does not help if models are completed with defaults, which are the most expensive options.
    """
    objective = config.objective
    if isinstance(config.algorithm, LayerNASOptions) and config.algorithm.completion == "default":
        return [Suggestion("algorithm.completion", "scaled", "Fit the later layers to the limits")]
    known = sorted(cost for cost in costs if isfinite(cost))
    if isinstance(config.algorithm, DynamicProgrammingOptions) or objective.hi is None or not known:
        return []
    middle = float(f"{known[int(HALF * len(known))]:.3g}")
    if middle <= objective.hi:
        return []
    return [
        Suggestion("objective.hi", middle, f"Raise the upper limit to {middle:g}, which half of random networks meet")
    ]
