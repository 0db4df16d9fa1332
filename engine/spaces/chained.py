"""Spaces whose layers hand on a single map, so that a network is a row of segments.

Some metrics of `engine.cost.WHOLE` are the largest value over the segments of a network. They need no blueprint of the
whole network: each segment is built and counted once for each (layer, state, choice). Their intervals are exact.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

from engine.blueprint import Blueprint
from engine.cost import WHOLE, in_unit
from engine.space import Architecture, Choices, State
from engine.stepped import SteppedSpace


class ChainedSpace(SteppedSpace):
    """A space of networks whose layers each read one map and hand on one map."""

    @abstractmethod
    def segment(self, layer: int, state: State, choice: int) -> Blueprint | None:
        """Return what ``choice`` builds at ``layer`` after the map of ``state``, or None if it builds nothing."""

    @abstractmethod
    def first_segment(self) -> Blueprint | None:
        """Return the fixed part in front of the first layer, or None if there is none."""

    @abstractmethod
    def last_segment(self, state: State) -> Blueprint:
        """Return what follows the last layer (head, classifier)."""

    def whole(self, architecture: Architecture, metric: str) -> int:
        if not WHOLE[metric].largest:
            return super().whole(architecture, metric)
        return self._of(metric).value(architecture.choices)

    def whole_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Return an interval, which is exact if the metric is the largest value over segments."""
        if not WHOLE[metric].largest:
            return super().whole_range(prefix, metric, until)
        low, high = self._of(metric).ends(prefix, self.depth if until is None else until)
        return in_unit(metric, low), in_unit(metric, high)

    @cached_property
    def _segments(self) -> dict[str, Segments]:
        """The segments by metric, filled on first use, after the subclass has finished its own construction."""
        return {}

    def _of(self, metric: str) -> Segments:
        if metric not in self._segments:
            self._segments[metric] = Segments(self, metric)
        return self._segments[metric]


class Segments:
    """The counts of one metric for all segments of a space, and the range of the largest count over networks."""

    def __init__(self, space: ChainedSpace, metric: str) -> None:
        self._space = space
        self._count = WHOLE[metric].count
        self._first = self._of(space.first_segment())
        self._steps: dict[tuple[int, State, int], tuple[int, State]] = {}
        self._behind: dict[tuple[int, State, int], tuple[int, int]] = {}

    def value(self, choices: Choices) -> int:
        """Return the count of a complete network."""
        return self.ends(choices, 0)[0]

    def ends(self, prefix: Choices, until: int) -> tuple[int, int]:
        """Return the least and the largest count of networks with a prefix and defaults from ``until`` on."""
        most = self._first
        state = self._space.initial_state()[1]
        for layer, choice in enumerate(prefix):
            count, state = self._step(layer, state, choice)
            most = max(most, count)
        low, high = self._rest(len(prefix), state, max(until, len(prefix)))
        return max(most, low), max(most, high)

    def _rest(self, layer: int, state: State, until: int) -> tuple[int, int]:
        """Return the least and the largest count of what follows from a layer on."""
        key = layer, state, until
        found = self._behind.get(key)
        if found is None:
            if layer == self._space.depth:
                last = self._of(self._space.last_segment(state))
                found = last, last
            else:
                options, default = self._space.branches(layer, state)
                ends = []
                for choice in range(options) if layer < until else (default,):
                    count, after = self._step(layer, state, choice)
                    low, high = self._rest(layer + 1, after, until)
                    ends.append((max(count, low), max(count, high)))
                found = min(low for low, _ in ends), max(high for _, high in ends)
            self._behind[key] = found
        return found

    def _step(self, layer: int, state: State, choice: int) -> tuple[int, State]:
        key = layer, state, choice
        found = self._steps.get(key)
        if found is None:
            after = self._space.step(layer, state, choice)[1]
            found = self._steps[key] = self._of(self._space.segment(layer, state, choice)), after
        return found

    def _of(self, segment: Blueprint | None) -> int:
        return 0 if segment is None else self._count(segment)
