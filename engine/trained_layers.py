"""The number of trained layers of a network: its convolutions and linear layers, the simplest guess at how good it is.

Batch norms are not counted, for they follow convolutions. Like the numbers of parameters and of multiply-adds, it is a
baseline: an estimate that ranks networks no better than these counts is not worth its seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.cost import Cost
from engine.operators import Operator
from engine.space import Choices, SearchSpace, State
from engine.stepped import SteppedSpace

TRAINED = frozenset({"conv2d", "linear"})
"""The operations that count as a layer with weights."""


class TrainedLayers:
    """Counts the trained layers of a space's networks.

    In spaces whose costs add up layer by layer, each step is counted once for each (layer, state, choice), so a network
    takes microseconds. In others the network's blueprint is made, which takes about a millisecond.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._steps: dict[tuple[int, State, int], tuple[int, State]] = {}
        self._ends: dict[State, int] = {}
        self._start = (0, None) if not isinstance(space, SteppedSpace) else _counted(*space.initial_state())

    def of(self, choices: Choices) -> int:
        """Return the number of convolutions and linear layers of the network with these choices."""
        space = self._space
        if not isinstance(space, SteppedSpace):
            return sum(node.op in TRAINED for node in space.blueprint(space.architecture(choices)))
        found, state = self._start
        for layer, choice in enumerate(choices):
            key = layer, state, choice
            if key not in self._steps:
                self._steps[key] = _counted(*space.step(*key))
            added, state = self._steps[key]
            found += added
        if state not in self._ends:
            self._ends[state] = _trained(space.final_cost(state).operators)
        return found + self._ends[state]


def _counted(cost: Cost, state: State) -> tuple[int, State]:
    return _trained(cost.operators), state


def _trained(operators: Iterable[Operator]) -> int:
    return sum(operator.op in TRAINED for operator in operators)
