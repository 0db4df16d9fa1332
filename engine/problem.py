"""A search space together with what is wanted of its networks: which costs bind, and what is feasible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Protocol

from engine.config.search import Objective
from engine.cost import METRIC_LABELS
from engine.errors import ConfigError
from engine.latency import LATENCY
from engine.merit import merit
from engine.space import Architecture, Choices, SearchSpace

TABLE_METRIC = "table_cost"


class CostTable(Protocol):
    """Costs read from a user's table instead of counted."""

    def cost(self, architecture: Architecture) -> float:
        """The table's cost of one network; NaN when the table does not hold it."""

    def cost_range(self, prefix: Choices, until: int | None = None) -> tuple[float, float]:
        """As `SearchSpace.cost_range`, over the table's rows."""


class SearchProblem:
    """Everything an algorithm may know: the space, every network's cost, and the target ranges."""

    def __init__(self, space: SearchSpace, objective: Objective, table: CostTable | None = None) -> None:
        self.space = space
        self.objective = objective
        self.table = table
        self.limits = [(objective.cost_metric, objective.lo, objective.hi)]
        self.limits += [(c.metric, c.lo, c.hi) for c in objective.constraints]
        self._bounded = [
            (metric, -inf if lo is None else lo, inf if hi is None else hi)
            for metric, lo, hi in self.limits
            if lo is not None or hi is not None
        ]

    @property
    def metric(self) -> str:
        """The metric that is bucketed."""
        return self.objective.cost_metric

    def cost(self, architecture: Architecture, metric: str | None = None) -> float:
        """One cost of one network, in the metric's unit."""
        metric = metric or self.metric
        if metric == TABLE_METRIC:
            assert self.table is not None
            return self.table.cost(architecture)
        return self.space.cost(architecture).metric(metric)

    def costs(self, architecture: Architecture) -> dict[str, float]:
        """Every cost of one network by metric name."""
        costs = self.space.cost(architecture).as_dict()
        if self.table is not None:
            costs[TABLE_METRIC] = self.table.cost(architecture)
        return costs

    def cost_range(self, prefix: Choices, metric: str | None = None, until: int | None = None) -> tuple[float, float]:
        """As `SearchSpace.cost_range`, for counted and table costs alike."""
        metric = metric or self.metric
        if metric == TABLE_METRIC:
            assert self.table is not None
            return self.table.cost_range(prefix, until)
        return self.space.cost_range(prefix, metric, until)

    def merit(self, architecture: Architecture, score: float) -> float:
        """What a score of the search's estimate is worth (`engine.merit`); the score itself without a size exponent."""
        exponent = self.objective.size_exponent
        return merit(score, self.cost(architecture), exponent) if exponent else score

    def feasible(self, architecture: Architecture) -> bool:
        """Whether the network meets every limit; a network whose cost is unknown does not."""
        return all(_within(self.cost(architecture, metric), lo, hi) for metric, lo, hi in self.limits)

    def reachable(self, prefix: Choices) -> bool:
        """Whether the intervals of costs reachable from the prefix meet every limit; exact for complete networks."""
        return all(_meets(*self.cost_range(prefix, metric), lo, hi) for metric, lo, hi in self._bounded)

    def reach(self, choices: Choices, first: int) -> int:
        """How many choices of a network can be kept, ``first`` or more, so that every prefix is `reachable`.

        ``first - 1`` when not even that many can: intervals only shrink along a prefix.
        """
        last = len(choices)
        for metric, lo, hi in self._bounded:
            for length, (low, high) in enumerate(self._prefix_ranges(choices, first, metric), first):
                if length > last:
                    break
                if not _meets(low, high, lo, hi):
                    last = length - 1
        return last

    def children(self, prefix: Choices) -> list[tuple[int, float]]:
        """Options of the next layer that are `reachable`, each with the cost of the network that completes it."""
        depth = len(prefix) + 1
        costs = self._child_ranges(prefix, self.metric, depth)
        options: Sequence[int] = range(len(costs))
        for metric, lo, hi in self._bounded:
            ranges = self._child_ranges(prefix, metric)
            options = [option for option in options if ranges[option][0] <= hi and ranges[option][1] >= lo]
        return [(option, costs[option][0]) for option in options]

    def _child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        if metric != TABLE_METRIC:
            return self.space.child_ranges(prefix, metric, until)
        assert self.table is not None
        return [self.table.cost_range((*prefix, option), until) for option in range(len(self.space.options(prefix)))]

    def _prefix_ranges(self, choices: Choices, first: int, metric: str) -> Iterator[tuple[float, float]]:
        if metric != TABLE_METRIC:
            return self.space.prefix_ranges(choices, first, metric)
        assert self.table is not None
        table = self.table
        return (table.cost_range(choices[:length]) for length in range(first, len(choices) + 1))

    def check(self) -> None:
        """ConfigError, at the field, for targets that no network meets and latencies that no table tells."""
        self._check_latency()
        for index, (metric, lo, hi) in enumerate(self.limits):
            path = "objective" if index == 0 else f"objective.constraints.{index - 1}"
            if metric == TABLE_METRIC and self.table is None:
                field = "cost_metric" if index == 0 else "metric"
                raise ConfigError.at(
                    f"{path}.{field}", "a table cost needs the table estimate with its cost column named"
                )
            low, high = self.cost_range((), metric)
            name = METRIC_LABELS.get(metric, "Table cost")
            span = f"{name} of this space lie between {low:.6g} and {high:.6g}"
            if hi is not None and hi < low:
                raise ConfigError.at(
                    f"{path}.hi", f"no network is this cheap: {span}; raise the limit to {low:.6g} or more"
                )
            if lo is not None and lo > high:
                raise ConfigError.at(
                    f"{path}.lo", f"no network is this costly: {span}; lower the limit to {high:.6g} or less"
                )

    def _check_latency(self) -> None:
        path = "objective.latency_table"
        if self.space.latency is not None:
            if reason := self.space.latency.refusal(self.space.operators()):
                raise ConfigError.at(path, reason)
        elif any(metric == LATENCY for metric, _, _ in self.limits):
            raise ConfigError.at(path, "a latency needs a latency table: name one that was measured or uploaded")


def _meets(low: float, high: float, lo: float, hi: float) -> bool:
    """Whether the interval of costs shares a point with the limits; never, when the interval is unknown (NaN)."""
    return low <= hi and high >= lo


def _within(cost: float, lo: float | None, hi: float | None) -> bool:
    if lo is None and hi is None:
        return True
    return (lo is None or cost >= lo) and (hi is None or cost <= hi)
