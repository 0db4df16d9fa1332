"""Exact costs and cost intervals of a layered space, by dynamic programming over (layer, state).

A `Place` is a state that reaches a layer; its edges are that layer's options with the counts they add and the place
they lead to. Places are made when first reached and shared by all prefixes that reach them, so a cost is one look-up a
layer, and the intervals behind a place (LayerNAS, equation 4 and section 4.2) are computed once. Counts stay integers
until the end: the interval of a complete network is its cost to the last bit.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Literal, Protocol

from engine.cost import COUNTS, MILLION, Cost
from engine.latency import LatencyTable
from engine.operators import Operator

Choices = tuple[int, ...]
State = Hashable
Counts = tuple[int, int, int, int]
"""Params, madds, activations, and nanoseconds where the space has a latency table (else 0)."""


class Layered(Protocol):
    """What is asked of a space; `engine.space.SearchSpace` says what each answer means."""

    latency: LatencyTable | None

    @property
    def depth(self) -> int: ...
    def options(self, prefix: Choices) -> Sequence[str]: ...
    def branches(self, layer: int, state: State) -> tuple[int, int]: ...
    def initial_state(self) -> tuple[Cost, State]: ...
    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]: ...
    def final_cost(self, state: State) -> Cost: ...


class Place:
    """A state in front of a layer (or of the head), with what has been learned about what follows."""

    __slots__ = ("children", "edges", "layer", "ranges", "state")

    def __init__(self, layer: int, state: State) -> None:
        self.layer = layer
        self.state = state
        self.edges: dict[int, tuple[int, int, int, int, Place]] = {}
        self.ranges: dict[int, tuple[Counts, Counts]] = {}
        self.children: dict[tuple[int, int, int], list[tuple[int, int]]] = {}


class Trellis:
    """All places of one space; the space's ``step``, ``initial_state`` and ``final_cost`` are asked once each."""

    def __init__(self, space: Layered) -> None:
        self._space = space
        self._depth = space.depth
        self._places: dict[tuple[int, State], Place] = {}
        cost, state = space.initial_state()
        self._latency = space.latency
        self._start = self._counts(cost)
        self._first = self._place(0, state)

    def cost(self, choices: Choices) -> Cost:
        """Cost of the complete network."""
        params, madds, activations, nanoseconds = self._start
        place = self._first
        for choice in choices:
            edge = place.edges.get(choice) or self._edge(place, choice)
            params += edge[0]
            madds += edge[1]
            activations += edge[2]
            nanoseconds += edge[3]
            place = edge[4]
        final = (place.ranges.get(self._depth) or self._range(place, self._depth))[0]
        told = nanoseconds + final[3] if self._latency is not None else None
        return Cost(params + final[0], madds + final[1], activations + final[2], nanoseconds=told)

    def cost_range(self, prefix: Choices, until: int, metric: str) -> tuple[float, float]:
        """A metric's least and largest value behind a prefix, layers from ``until`` on at their defaults."""
        count, scale = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        low, high = place.ranges.get(until) or self._range(place, until)
        return (spent + low[count]) * scale / MILLION, (spent + high[count]) * scale / MILLION

    def child_ranges(self, prefix: Choices, until: int, metric: str) -> list[tuple[float, float]]:
        """`cost_range` of every option of the layer behind the prefix, walking the prefix once."""
        count, scale = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        key = len(self._space.options(prefix)), until, count
        children = place.children.get(key)
        if children is None:
            children = place.children[key] = [self._child(place, choice, until, count) for choice in range(key[0])]
        return [((spent + low) * scale / MILLION, (spent + high) * scale / MILLION) for low, high in children]

    def _child(self, place: Place, choice: int, until: int, count: Literal[0, 1, 2, 3]) -> tuple[int, int]:
        """What is added from a place on, at least and at most, by an option and what follows it."""
        edge = place.edges.get(choice) or self._edge(place, choice)
        low, high = edge[4].ranges.get(until) or self._range(edge[4], until)
        return edge[count] + low[count], edge[count] + high[count]

    def prefix_ranges(self, choices: Choices, first: int, metric: str) -> Iterator[tuple[float, float]]:
        """`cost_range`, all later layers free, of the prefixes of ``first`` choices and more, in one walk."""
        count, scale = COUNTS[metric]
        depth = self._depth
        spent, place = self._walk(choices[:first], count)
        low, high = place.ranges.get(depth) or self._range(place, depth)
        yield (spent + low[count]) * scale / MILLION, (spent + high[count]) * scale / MILLION
        for choice in choices[first:]:
            edge = place.edges.get(choice) or self._edge(place, choice)
            spent += edge[count]
            place = edge[4]
            low, high = place.ranges.get(depth) or self._range(place, depth)
            yield (spent + low[count]) * scale / MILLION, (spent + high[count]) * scale / MILLION

    def cost_range_among(self, allowed: Sequence[Iterable[int]], metric: str) -> tuple[float, float]:
        """A metric's least and largest value where each layer takes one of its allowed options."""
        count, scale = COUNTS[metric]
        reached = {self._first: (self._start[count], self._start[count])}
        for options in allowed:
            after: dict[Place, tuple[int, int]] = {}
            for place, (low, high) in reached.items():
                for choice in options:
                    edge = place.edges.get(choice) or self._edge(place, choice)
                    least, largest = after.get(edge[4], (low + edge[count], high + edge[count]))
                    after[edge[4]] = min(least, low + edge[count]), max(largest, high + edge[count])
            reached = after
        finals = {place: self._range(place, self._depth)[0][count] for place in reached}
        low = min(ends[0] + finals[place] for place, ends in reached.items())
        high = max(ends[1] + finals[place] for place, ends in reached.items())
        return low * scale / MILLION, high * scale / MILLION

    def _walk(self, prefix: Choices, count: Literal[0, 1, 2, 3]) -> tuple[int, Place]:
        """What a prefix adds to one count, and the place behind it."""
        spent, place = self._start[count], self._first
        for choice in prefix:
            edge = place.edges.get(choice) or self._edge(place, choice)
            spent += edge[count]
            place = edge[4]
        return spent, place

    def _place(self, layer: int, state: State) -> Place:
        key = layer, state
        if key not in self._places:
            self._places[key] = Place(layer, state)
        return self._places[key]

    def _counts(self, cost: Cost) -> Counts:
        nanoseconds = self._latency.nanoseconds(cost.operators) if self._latency is not None else 0
        return cost.params, cost.madds, cost.activations, nanoseconds

    def _edge(self, place: Place, choice: int) -> tuple[int, int, int, int, Place]:
        cost, after = self._space.step(place.layer, place.state, choice)
        edge = *self._counts(cost), self._place(place.layer + 1, after)
        place.edges[choice] = edge
        return edge

    def _range(self, place: Place, until: int) -> tuple[Counts, Counts]:
        if place.layer == self._depth:
            counts = self._counts(self._space.final_cost(place.state))
            place.ranges[until] = counts, counts
            return counts, counts
        options, default = self._space.branches(place.layer, place.state)
        free = place.layer < until
        lows: list[Counts] = []
        highs: list[Counts] = []
        for choice in range(options) if free else [default]:
            params, madds, activations, nanoseconds, after = place.edges.get(choice) or self._edge(place, choice)
            low, high = after.ranges.get(until) or self._range(after, until)
            lows.append((params + low[0], madds + low[1], activations + low[2], nanoseconds + low[3]))
            highs.append((params + high[0], madds + high[1], activations + high[2], nanoseconds + high[3]))
        least: Counts = tuple(map(min, zip(*lows, strict=True)))
        largest: Counts = tuple(map(max, zip(*highs, strict=True)))
        place.ranges[until] = least, least if least == largest else largest
        return place.ranges[until]


def operators(space: Layered) -> frozenset[Operator]:
    """Every operator of every network of a space; asks each option of each state that can reach its layer once."""
    cost, state = space.initial_state()
    found, states = set(cost.operators), {state}
    for layer in range(space.depth):
        steps = [
            space.step(layer, state, choice) for state in states for choice in range(space.branches(layer, state)[0])
        ]
        found.update(*(cost.operators for cost, _ in steps))
        states = {after for _, after in steps}
    return frozenset(found.union(*(space.final_cost(state).operators for state in states)))
