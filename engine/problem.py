"""A search space together with what is wanted of its networks: which costs bind, and what is feasible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from random import Random
from typing import Protocol

from engine.config.search import Objective
from engine.cost import COUNTS, WHOLE, in_unit
from engine.errors import ConfigError
from engine.limits import Limit
from engine.merit import merit
from engine.metrics import LATENCY, METRICS, NODES, TABLE_COST, title
from engine.space import Architecture, Choices, SearchSpace

KEPT = 4_096
"""The number of networks whose whole-network counts are kept, because a search asks for them several times."""
PROBES = 20_000
NETWORK_PROBES = 20
"""How many probes a complete network counts as if a limit is counted from its blueprint, which takes milliseconds."""


class CostTable(Protocol):
    """Costs that are read from a user's table instead of counted."""

    def cost(self, architecture: Architecture) -> float:
        """Return the table's cost of one network; NaN if the table does not hold it."""

    def cost_range(self, prefix: Choices, until: int | None = None) -> tuple[float, float]:
        """Return the range over the table's rows, with the arguments of `SearchSpace.cost_range`."""


class SearchProblem:
    """Everything an algorithm may know: the space, every network's cost, and the target ranges.

    The interval of a prefix never excludes a feasible network, and that of a complete network is its cost. Sums over
    nodes have the space's intervals. A metric of the whole network has those of `SearchSpace.whole_range`, and a table
    cost has those of the table's rows.
    """

    def __init__(self, space: SearchSpace, objective: Objective, table: CostTable | None = None) -> None:
        self.space = space
        self.objective = objective
        self.table = table
        self.limits = objective.limits
        self._bounded = [Limit(*limit) for limit in self.limits if limit[1:] != (None, None)]
        self._summed = [limit for limit in self._bounded if limit.metric in COUNTS]
        self._others = [limit for limit in self._bounded if limit.metric not in COUNTS]
        self.metric = objective.cost_metric
        """The metric that is bucketed."""
        self._sums_only = self.metric in COUNTS and not self._others
        self._whole = lru_cache(KEPT)(space.whole)

    def cost(self, architecture: Architecture, metric: str | None = None) -> float:
        """Return one cost of one network, in the metric's unit."""
        metric = metric or self.metric
        if metric in NODES:
            return self.space.cost_range(architecture.choices, metric)[0]
        if metric == TABLE_COST:
            assert self.table is not None
            return self.table.cost(architecture)
        if metric in WHOLE:
            return in_unit(metric, self._whole(architecture, metric))
        return self.space.cost(architecture).metric(metric)

    def costs(self, architecture: Architecture) -> dict[str, float]:
        """Return every known cost of one network by metric name."""
        costs = self.space.cost(architecture).as_dict()
        costs |= {metric: self.cost(architecture, metric) for metric in WHOLE}
        if self.table is not None:
            costs[TABLE_COST] = self.table.cost(architecture)
        return costs

    def cost_range(self, prefix: Choices, metric: str | None = None, until: int | None = None) -> tuple[float, float]:
        """Return `SearchSpace.cost_range` or its equivalent, for a cost of any kind."""
        metric = metric or self.metric
        if metric == TABLE_COST:
            assert self.table is not None
            return self.table.cost_range(prefix, until)
        if metric in WHOLE:
            if len(prefix) < (self.space.depth if until is None else until):
                return self.space.whole_range(prefix, metric, until)
            value = self.cost(self.space.complete(prefix), metric)
            return value, value
        return self.space.cost_range(prefix, metric, until)

    def merit(self, architecture: Architecture, score: float) -> float:
        """Return what a score is worth by `engine.merit`; without a size exponent, that is the score itself."""
        exponent = self.objective.size_exponent
        return merit(score, self.cost(architecture), exponent) if exponent else score

    def feasible(self, architecture: Architecture) -> bool:
        """Return whether the network meets every limit; a network whose cost is unknown does not."""
        return all(_within(self.cost(architecture, metric), lo, hi) for metric, lo, hi in self.limits)

    def reachable(self, prefix: Choices) -> bool:
        """Return whether the intervals behind the prefix meet every limit; exact for complete networks."""
        return all(limit.meets(*self.cost_range(prefix, limit.metric)) for limit in self._bounded)

    def reach(self, prefix: Choices) -> int:
        """Return how many choices of the network that completes a prefix can be kept so that every prefix is reachable.

        If the prefix itself is not reachable, the result is one less than its length. Intervals only shrink as a prefix
        becomes longer.
        """
        last = self.space.reach(prefix, self._summed)
        if self._others and last >= len(prefix):
            choices = self.space.complete(prefix).choices
            for length in range(len(prefix), last + 1):
                if not self._others_meet(choices[:length]):
                    return length - 1
        return last

    def children(self, prefix: Choices) -> Sequence[int]:
        """Return the options of the next layer that are `reachable`."""
        options = self.space.meeting(prefix, self._summed)
        if self._others:
            options = [option for option in options if self._others_meet((*prefix, option))]
        return options

    def child_ranges(
        self, prefix: Choices, metric: str | None = None, until: int | None = None
    ) -> list[tuple[float, float]]:
        """Return `cost_range` for every option of the layer behind the prefix."""
        metric = metric or self.metric
        if metric in COUNTS:
            return self.space.child_ranges(prefix, metric, until)
        options = range(len(self.space.options(prefix)))
        return [self.cost_range((*prefix, option), metric, until) for option in options]

    def child_costs(self, prefix: Choices) -> list[float]:
        """Return the costs of the networks that complete a prefix with each option of the next layer, then defaults."""
        return [low for low, _ in self.child_ranges(prefix, until=len(prefix) + 1)]

    def completed(self, prefix: Choices) -> tuple[Choices, float, int | None]:
        """Return the network that completes a prefix with defaults, its cost, and its `reach` if that needs no work."""
        if self._sums_only:
            return self.space.completed(prefix, self.metric, self._summed)
        return self.space.complete(prefix).choices, self.cost_range(prefix, until=len(prefix))[0], None

    def layer_ranges(self) -> list[tuple[float, float]]:
        """Return the range of equation 4 for every layer, from the first on: the costs while the layers up to it vary.

        Raises ConfigError (``objective.cost_metric``) if the largest value of the metric is not known.
        """
        if self.metric in COUNTS:
            return self.space.layer_ranges(self.metric)
        ranges = [self.cost_range((), until=layer) for layer in range(1, self.space.depth + 1)]
        if self.metric in WHOLE and not all(isfinite(high) for _, high in ranges):
            raise ConfigError.at(
                "objective.cost_metric",
                f"{METRICS[self.metric].label} cannot be divided into buckets in this space, for it is known of whole "
                "networks only: choose another cost and limit this one, or an algorithm without buckets",
            )
        return ranges

    def _others_meet(self, prefix: Choices) -> bool:
        return all(limit.meets(*self.cost_range(prefix, limit.metric)) for limit in self._others)

    def check(self) -> None:
        """Raise ConfigError, at the field, for targets that no network meets and for latencies without a table."""
        self._check_latency()
        for index, (metric, lo, hi) in enumerate(self.limits):
            path = "objective" if index == 0 else f"objective.constraints.{index - 1}"
            if metric == TABLE_COST and self.table is None:
                field = "cost_metric" if index == 0 else "metric"
                raise ConfigError.at(
                    f"{path}.{field}", "a table cost needs the table estimate with its cost column named"
                )
            low, high = self.cost_range((), metric)
            most = f"to {high:.6g}" if isfinite(high) else "or more"
            span = f"{title(metric)} in this space: {low:.6g} {most}"
            if hi is not None and hi < low:
                raise ConfigError.at(
                    f"{path}.hi", f"no network is this cheap: {span}; raise the limit to {low:.6g} or more"
                )
            if lo is not None and lo > high:
                raise ConfigError.at(
                    f"{path}.lo", f"no network is this costly: {span}; lower the limit to {high:.6g} or less"
                )

    def check_together(self) -> None:
        """Raise ConfigError, at the field, if no network is found that meets all limits together."""
        if not self._bounded or self._any_feasible():
            return
        if self.objective.constraints:
            message = "No network was found that meets all limits together; widen one of the limits."
            raise ConfigError.at("objective.constraints", message)
        end = "lo" if self.objective.hi is None else "hi"
        raise ConfigError.at(f"objective.{end}", "No network was found between the two limits; widen them.")

    def _any_feasible(self) -> bool:
        """Return whether a network meets all limits, searching depth-first in random order.

        Only prefixes whose intervals of costs meet the limits are followed; after `PROBES` of them the answer is no.
        """
        rng = Random(0)
        counted = any(limit.metric in WHOLE for limit in self._others)
        probes = 0
        stack: list[Choices] = [()]
        while stack and probes < PROBES:
            prefix = stack.pop()
            probes += NETWORK_PROBES if counted and len(prefix) == self.space.depth else 1
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
