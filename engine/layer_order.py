"""The order in which LayerNAS searches the layers of a space.

A `ReorderedSpace` shows a space in another order. Its prefixes, options and cost intervals are those of the layers as
they are searched, while networks keep the choices, the strings and the identity of the space itself.
"""

from __future__ import annotations

from engine.blueprint import Blueprint, InputSpec
from engine.cost import COUNTS, Cost
from engine.errors import ConfigError
from engine.metrics import METRICS, TABLE_COST
from engine.operators import Operator
from engine.problem import SearchProblem
from engine.space import Architecture, Choices, SearchSpace
from engine.stepped import SteppedSpace

FIELD = "algorithm.layer_order"


class ReorderedSpace(SearchSpace):
    """A space whose layer ``i`` is layer ``order[i]`` of another one; all intervals of sums over nodes are exact.

    Options and defaults of that space must not depend on the layers before (``fixed_order`` is None).
    """

    fixed_order = None

    def __init__(self, space: SteppedSpace, order: Choices) -> None:
        super().__init__(space.spec)
        self.kind = space.kind
        self.latency = space.latency
        self.own = space
        self.order = order
        self._counts = space.option_counts()
        self._defaults = space.default().choices
        self._names = tuple(space.layer_names[layer] for layer in order)
        self._places = tuple(order.index(layer) for layer in range(len(order)))
        self._hash = f"{space.content_hash}:{'-'.join(map(str, order))}"

    def listed(self, choices: Choices) -> Choices:
        """Return a complete network's choices as the space itself lists them."""
        return tuple(choices[place] for place in self._places)

    def searched(self, choices: Choices) -> Choices:
        """Return a network's choices in the order of search: the inverse of `listed`."""
        return tuple(choices[layer] for layer in self.order)

    def place(self, layer: int) -> int:
        """Return the place, from 0, at which a layer of the space itself is searched."""
        return self._places[layer]

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> list[str]:
        layer = self.order[len(prefix)]
        return list(self.own.options(self._defaults[:layer]))

    def default_option(self, prefix: Choices) -> int:
        return self._defaults[self.order[len(prefix)]]

    @property
    def size(self) -> int:
        return self.own.size

    @property
    def content_hash(self) -> str:
        return self._hash

    # --- networks ----------------------------------------------------------------------------------------------
    def network(self, architecture: Architecture) -> Architecture:
        """Return the network as the space itself knows it."""
        return Architecture(self.own.content_hash, self.listed(architecture.choices))

    def to_string(self, architecture: Architecture) -> str:
        return self.own.to_string(self.network(architecture))

    def from_string(self, text: str) -> Architecture:
        return Architecture(self._hash, self.searched(self.own.from_string(text).choices))

    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self.own.blueprint(self.network(architecture))

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        return self.own.reduced_blueprint(self.network(architecture), spec, channels)

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return self.own.reduced_in_words(spec, channels)

    # --- costs -------------------------------------------------------------------------------------------------
    def cost(self, architecture: Architecture) -> Cost:
        return self.own.cost(self.network(architecture))

    def whole(self, architecture: Architecture, metric: str) -> int:
        return self.own.whole(self.network(architecture), metric)

    def cost_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        allowed: list[range] = [range(default, default + 1) for default in self._defaults]
        for layer in self.order[len(prefix) : until]:
            allowed[layer] = range(self._counts[layer])
        for layer, choice in zip(self.order, prefix, strict=False):
            allowed[layer] = range(choice, choice + 1)
        return self.own.cost_range_among(allowed, metric)

    def child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        count = self._counts[self.order[len(prefix)]]
        return [self.cost_range((*prefix, option), metric, until) for option in range(count)]

    def operators(self) -> frozenset[Operator]:
        return self.own.operators()


def in_order(problem: SearchProblem, rule: str) -> SearchProblem:
    """Return the problem with its layers in the order of search; with the rule ``listed``, the problem itself.

    The rule ``reversed`` puts the last layer first. The rule ``cost`` begins with the layer whose options change the
    objective's cost most while all other layers keep their defaults; equal layers stay in the listed order. Raises
    ConfigError (``algorithm.layer_order``) if the cost's intervals are only known for the layers as listed.
    """
    if rule == "listed":
        return problem
    space = problem.space
    if space.fixed_order is not None or not isinstance(space, SteppedSpace):
        raise ConfigError.at(FIELD, f"The layers of this space are searched as listed: {space.fixed_order}.")
    if any(metric == TABLE_COST for metric, _, _ in problem.limits):
        raise ConfigError.at(FIELD, "Table costs are looked up by the first layers: choose listed, or a counted cost.")
    if problem.metric not in COUNTS:
        label = METRICS[problem.metric].label
        raise ConfigError.at(FIELD, f"{label} is no sum over the layers: choose listed, or a cost that is a sum.")
    return SearchProblem(ReorderedSpace(space, searched_order(space, rule, problem.metric)), problem.objective)


def searched_order(space: SearchSpace, rule: str, metric: str) -> Choices:
    """Return a space's layers in the order in which they are searched, for a rule that `in_order` accepts."""
    order = tuple(range(space.depth))
    if rule == "reversed":
        return order[::-1]
    if rule == "cost" and isinstance(space, SteppedSpace):
        return tuple(sorted(order, key=lambda layer: -_spread(space, layer, metric)))
    return order


def _spread(space: SteppedSpace, layer: int, metric: str) -> float:
    """Return how far the options of one layer change the default network's cost, in the metric's unit."""
    allowed = [range(default, default + 1) for default in space.default().choices]
    allowed[layer] = range(space.option_counts()[layer])
    low, high = space.cost_range_among(allowed, metric)
    return high - low
