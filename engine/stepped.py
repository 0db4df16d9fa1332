"""Spaces whose costs add up layer by layer, with exact intervals by dynamic programming."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from engine.blueprint import InputSpec
from engine.cost import Cost
from engine.limits import Limit
from engine.metrics import COUNTED
from engine.operators import Operator
from engine.space import Architecture, Choices, SearchSpace, State
from engine.trellis import Trellis, operators


class SteppedSpace(SearchSpace):
    """A space whose costs add up layer by layer given a small state, so that all intervals are exact."""

    def __init__(self, spec: InputSpec) -> None:
        super().__init__(spec)
        self._trellis: Trellis | None = None

    @abstractmethod
    def initial_state(self) -> tuple[Cost, State]:
        """Return the cost of the fixed part before the first layer, and the state at the first layer."""

    @abstractmethod
    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        """Return the cost that ``choice`` adds at ``layer`` in this state, and the state after it."""

    def branches(self, layer: int, state: State) -> tuple[int, int]:
        """Return a layer's number of options and its default in a state; overridden if these depend on the state."""
        prefix = (0,) * layer
        return len(self.options(prefix)), self.default_option(prefix)

    @abstractmethod
    def final_cost(self, state: State) -> Cost:
        """Return the cost of the part after the last layer (head, classifier)."""

    def cost(self, architecture: Architecture) -> Cost:
        return self._costs().cost(architecture.choices)

    def cost_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        return self._costs().cost_range(prefix, self.depth if until is None else until, metric)

    def child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        return self._costs().child_ranges(prefix, self.depth if until is None else until, metric)

    def layer_ranges(self, metric: str) -> list[tuple[float, float]]:
        return self._costs().layer_ranges(metric)

    def completed(self, prefix: Choices, metric: str, limits: Sequence[Limit]) -> tuple[Choices, float, int]:
        return (self._trellis or self._costs()).completed(prefix, metric, limits)

    def meeting(self, prefix: Choices, limits: Sequence[Limit]) -> Sequence[int]:
        return self._costs().meeting(prefix, limits)

    def reach(self, prefix: Choices, limits: Sequence[Limit]) -> int:
        return self._costs().completed(prefix, COUNTED[0].name, limits)[2]

    def cost_range_among(self, allowed: Sequence[Iterable[int]], metric: str) -> tuple[float, float]:
        """Return the exact least and largest cost of the networks that have an allowed option at every layer."""
        return self._costs().cost_range_among(allowed, metric)

    def operators(self) -> frozenset[Operator]:
        return operators(self)

    def _costs(self) -> Trellis:
        """Return the trellis; it is built on first use, because the subclass must be fully constructed."""
        if self._trellis is None:
            self._trellis = Trellis(self)
        return self._trellis
