"""What a network costs, counted from its blueprint without building it.

Metrics carry their unit: ``params_m`` (millions of learned parameters), ``madds_m`` (millions of multiply-adds
for one image), ``activation_mb`` (10^6 bytes of float32 that the outputs of convolutions, pools, sums,
concatenations, shifts and the classifier take for one image: what training keeps; norms and activations work in place,
and zeros are never kept).
MAdds count convolutions and linear layers, one for a multiplication with its addition, as LayerNAS's tables do.

``latency_ms`` is known where a space was given a latency table (`engine.latency`): the sum of what the table says of
the network's operators, which every cost carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from engine.blueprint import Blueprint, Node, Shape
from engine.latency import LABEL, LATENCY
from engine.operators import Operator, operator

METRICS: Mapping[str, str] = {
    "params_m": "Parameters (millions)",
    "madds_m": "Multiply-adds (millions)",
    "activation_mb": "Activation memory (MB per image)",
}
"""What is counted of every network."""
METRIC_LABELS: Mapping[str, str] = {**METRICS, LATENCY: LABEL}
"""Those, and what needs a latency table."""
Count = Literal[0, 1, 2, 3]
COUNTS: Mapping[str, tuple[Count, int]] = {
    "params_m": (0, 1),
    "madds_m": (1, 1),
    "activation_mb": (2, 4),
    LATENCY: (3, 1),
}
"""Of each metric, the place of its count in (params, madds, activations, nanoseconds), and what one of it weighs in
`MILLION`s."""
MILLION = 1e6
STORED_OPS = frozenset(
    {"conv2d", "max_pool", "avg_pool", "global_avg_pool", "add", "multiply", "concat", "shift", "linear"}
)


@dataclass(frozen=True)
class Cost:
    """Exact integer counts; adding two costs adds every count.

    ``operators`` are those of the nodes counted, the same one as often as it is there; ``nanoseconds`` is what a
    latency table says of them (None without one). Neither counts when costs are compared.
    """

    params: int = 0
    madds: int = 0
    activations: int = 0
    operators: tuple[Operator, ...] = field(default=(), compare=False, repr=False)
    nanoseconds: int | None = field(default=None, compare=False)

    def __add__(self, other: Cost) -> Cost:
        return total((self, other))

    def metric(self, name: str) -> float:
        """The count in the unit that the metric's name states; KeyError for a latency that no table told."""
        count, scale = COUNTS[name]
        value = (self.params, self.madds, self.activations, self.nanoseconds)[count]
        if value is None:
            raise KeyError(name)
        return value * scale / MILLION

    def as_dict(self) -> dict[str, float]:
        """All known metrics by name."""
        names = METRICS if self.nanoseconds is None else METRIC_LABELS
        return {name: self.metric(name) for name in names}


def node_cost(node: Node, inputs: Iterable[Shape]) -> Cost:
    """Cost of one node given the shapes of its inputs."""
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
    """Cost of a whole network."""
    return total(node_cost(node, (blueprint[i].shape for i in node.inputs)) for node in blueprint)


def total(costs: Iterable[Cost]) -> Cost:
    """Sum of costs, their operators one after the other; what a latency table said of the parts is not kept."""
    counted = tuple(costs)
    operators = tuple(chain.from_iterable(c.operators for c in counted))
    counts = sum(c.params for c in counted), sum(c.madds for c in counted), sum(c.activations for c in counted)
    return Cost(*counts, operators)
