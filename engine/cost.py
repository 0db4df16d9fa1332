"""The costs of a network, counted from its blueprint without building it.

`engine.metrics` names the metrics. Three are summed over the nodes of a network: learned parameters, multiply-adds for
one image, and activation memory, which is taken by the outputs of convolutions, pools, sums, products, concatenations,
shifts and the classifier for one image. These are the outputs that training keeps: norms and activations work in place,
and zeros are never kept. Multiply-adds are those of convolutions and linear layers, one for a multiplication with its
addition, as in LayerNAS's tables.

If a space was given a latency table (`engine.latency`), the latency is a sum, too: every cost carries the network's
operators. `WHOLE` lists the metrics that are counted from a whole network and are not sums over its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from engine.blueprint import Blueprint, Node, Shape
from engine.latency import LatencyTable
from engine.memory import peak
from engine.metrics import COUNTED, METRICS, NODES
from engine.operators import Operator, operator

Counts = tuple[int, ...]
"""Whole numbers in the order of `COUNTED`; the number of the latency is 0 if there is no latency table."""
COUNTS: Mapping[str, tuple[int, int]] = {metric.name: (place, metric.weight) for place, metric in enumerate(COUNTED)}
"""For each sum over nodes: its place in `Counts`, and what one count weighs in millionths of the metric's unit."""
MILLION = 1e6
STORED_OPS = frozenset(
    {"conv2d", "max_pool", "avg_pool", "global_avg_pool", "add", "multiply", "concat", "shift", "linear"}
)
_at_nodes: Callable[[Any], Counts] = attrgetter(*(METRICS[name].count for name in NODES))


@dataclass(frozen=True)
class Whole:
    """How a metric that only a whole network has is counted.

    ``largest`` is true if the count is a number of values that are held at once. If such a network is a row of
    segments, each of which passes a single map to the next, its count is the largest count of the segments. If all maps
    of a segment have one size, the segment's count is proportional to that size.
    """

    count: Callable[[Blueprint], int]
    largest: bool = False


WHOLE: Mapping[str, Whole] = {"peak_memory_mb": Whole(peak, largest=True)}


@dataclass(frozen=True)
class Cost:
    """Exact whole-number counts; adding two costs adds every count.

    ``operators`` are those of the counted nodes, each as often as it occurs. ``nanoseconds`` is the sum of their
    times in a latency table, or None if there is no table. Comparisons of costs ignore both. The fields before
    ``operators`` stand in the order of `engine.metrics.NODES`.
    """

    params: int = 0
    madds: int = 0
    activations: int = 0
    operators: tuple[Operator, ...] = field(default=(), compare=False, repr=False)
    nanoseconds: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, counts: Iterable[int], timed: bool) -> Cost:
        """Return the cost with these `Counts`; without a latency table (``timed`` False) the latency is unknown."""
        *at_nodes, nanoseconds = counts
        return cls(*at_nodes, nanoseconds=nanoseconds if timed else None)  # type: ignore[misc, arg-type]

    def __add__(self, other: Cost) -> Cost:
        return total((self, other))

    def counts(self, latency: LatencyTable | None) -> Counts:
        """Return all counts; the latency is summed from the table, and is 0 if there is no table."""
        return (*_at_nodes(self), 0 if latency is None else latency.nanoseconds(self.operators))

    def metric(self, name: str) -> float:
        """Return the count in the metric's unit; KeyError for a latency without a table or a metric that is no sum."""
        weight = COUNTS[name][1]
        value: int | None = getattr(self, METRICS[name].count)
        if value is None:
            raise KeyError(name)
        return value * weight / MILLION

    def as_dict(self) -> dict[str, float]:
        """Return all known metrics by name."""
        names = NODES if self.nanoseconds is None else tuple(COUNTS)
        return {name: self.metric(name) for name in names}


def node_cost(node: Node, inputs: Iterable[Shape]) -> Cost:
    """Return the cost of one node, given the shapes of its inputs."""
    params = madds = 0
    sources = tuple(inputs)
    if node.op == "conv2d":
        weights = sources[0].channels // node.integer("groups") * node.integer("kernel") ** 2 * node.shape.channels
        params = weights + (node.shape.channels if node.attrs["bias"] else 0)
        madds = weights * node.shape.height * node.shape.width
    elif node.op == "linear":
        madds = sources[0].elements * node.shape.channels
        params = madds + node.shape.channels
    elif node.op == "batch_norm":
        params = 2 * node.shape.channels
    return Cost(params, madds, node.shape.elements if node.op in STORED_OPS else 0, operator(node, sources))


def blueprint_cost(blueprint: Blueprint) -> Cost:
    """Return the sums over all nodes of a network."""
    return total(node_cost(node, (blueprint[i].shape for i in node.inputs)) for node in blueprint)


def in_unit(name: str, count: int) -> float:
    """Return a count of a metric in the metric's unit."""
    return count * METRICS[name].weight / MILLION


def blueprint_metrics(blueprint: Blueprint) -> dict[str, float]:
    """Return every metric that can be counted from a blueprint alone, by name and in its unit."""
    whole = {name: in_unit(name, rule.count(blueprint)) for name, rule in WHOLE.items()}
    return blueprint_cost(blueprint).as_dict() | whole


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs with all their operators; the parts' latencies are dropped."""
    counted = tuple(costs)
    operators = tuple(chain.from_iterable(cost.operators for cost in counted))
    sums = map(sum, zip(*map(_at_nodes, counted), strict=True))
    return Cost(*sums, operators=operators)  # type: ignore[misc, arg-type]
