"""A search space together with what is wanted of its networks: which costs bind, and what is feasible."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from engine.config.search import Objective
from engine.cost import METRIC_LABELS
from engine.errors import ConfigError
from engine.latency import LATENCY
from engine.limits import Limit
from engine.merit import merit
from engine.space import Architecture, Choices, SearchSpace

TABLE_METRIC = "table_cost"
PROBES = 20_000


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
        self.limits = objective.limits
        self._bounded = [Limit(*limit) for limit in self.limits if limit[1:] != (None, None)]
        self._counted = [limit for limit in self._bounded if limit.metric != TABLE_METRIC]
        self._tabled = [limit for limit in self._bounded if limit.metric == TABLE_METRIC]
        self.metric = objective.cost_metric
        """The metric that is bucketed."""
        self._asks_table = self.metric == TABLE_METRIC or bool(self._tabled)

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
        return all(limit.meets(*self.cost_range(prefix, limit.metric)) for limit in self._bounded)

    def reach(self, prefix: Choices) -> int:
        """How many choices of the network that completes a prefix can be kept so that every prefix is `reachable`.

        One less than the prefix's length when not even that is: intervals only shrink along a prefix.
        """
        last = self.space.reach(prefix, self._counted)
        if self._tabled and last >= len(prefix):
            choices = self.space.complete(prefix).choices
            for length in range(len(prefix), last + 1):
                if not self._in_table(choices[:length]):
                    return length - 1
        return last

    def children(self, prefix: Choices) -> Sequence[int]:
        """Options of the next layer that are `reachable`."""
        options = self.space.meeting(prefix, self._counted)
        if self._tabled:
            options = [option for option in options if self._in_table((*prefix, option))]
        return options

    def child_costs(self, prefix: Choices) -> list[float]:
        """Costs of the networks that complete a prefix by each option of the next layer and defaults."""
        until = len(prefix) + 1
        if self.metric != TABLE_METRIC:
            return [low for low, _ in self.space.child_ranges(prefix, self.metric, until)]
        options = range(len(self.space.options(prefix)))
        return [self.cost_range((*prefix, option), until=until)[0] for option in options]

    def completed(self, prefix: Choices) -> tuple[Choices, float, int | None]:
        """The network that completes a prefix with defaults, its cost, and its `reach` where that comes for nothing."""
        if not self._asks_table:
            return self.space.completed(prefix, self.metric, self._counted)
        return self.space.complete(prefix).choices, self.cost_range(prefix, until=len(prefix))[0], None

    def layer_ranges(self) -> list[tuple[float, float]]:
        """The range of equation 4 for every layer: of the costs while layers up to it vary, from the first on."""
        if self.metric != TABLE_METRIC:
            return self.space.layer_ranges(self.metric)
        return [self.cost_range((), until=layer) for layer in range(1, self.space.depth + 1)]

    def _in_table(self, prefix: Choices) -> bool:
        return all(limit.meets(*self.cost_range(prefix, TABLE_METRIC)) for limit in self._tabled)

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

    def check_together(self) -> None:
        """ConfigError, at the field, where no network was found that meets all limits together."""
        if not self._bounded or self._any_feasible():
            return
        if self.objective.constraints:
            message = "No network was found that meets all limits together; widen one of them."
            raise ConfigError.at("objective.constraints", message)
        end = "lo" if self.objective.hi is None else "hi"
        raise ConfigError.at(f"objective.{end}", "No network was found between the two limits; widen them.")

    def _any_feasible(self) -> bool:
        """Return whether a network meets all limits, searching depth-first in random order.

        Only prefixes whose intervals of costs meet the limits are followed; after `PROBES` of them the answer is no.
        """
        rng = Random(0)
        probes = 0
        stack: list[Choices] = [()]
        while stack and probes < PROBES:
            prefix = stack.pop()
            probes += 1
            if not self.reachable(prefix):
                continue
            if len(prefix) == self.space.depth:
                if self.feasible(self.space.complete(prefix)):
                    return True
                continue
            children = [(*prefix, choice) for choice in range(len(self.space.options(prefix)))]
            rng.shuffle(children)
            stack.extend(children)
        return False

    def _check_latency(self) -> None:
        path = "objective.latency_table"
        if self.space.latency is not None:
            if reason := self.space.latency.refusal(self.space.operators()):
                raise ConfigError.at(path, reason)
        elif any(metric == LATENCY for metric, _, _ in self.limits):
            raise ConfigError.at(path, "a latency needs a latency table: name one that was measured or uploaded")


def _within(cost: float, lo: float | None, hi: float | None) -> bool:
    if lo is None and hi is None:
        return True
    return (lo is None or cost >= lo) and (hi is None or cost <= hi)
