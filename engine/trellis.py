"""Exact costs and cost intervals of a layered space, by dynamic programming over (layer, state).

A `Place` is a state that reaches a layer; its edges are that layer's options with the counts they add and the place
they lead to. Places are made when first reached and shared by all prefixes that reach them, so a cost is one look-up a
layer, and the intervals behind a place (LayerNAS, equation 4 and section 4.2) are computed once. Counts stay integers
until the end: the interval of a complete network is its cost to the last bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from engine.cost import COUNTS, MILLION, Cost, Count
from engine.latency import LatencyTable
from engine.limits import Limit
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
    def branches(self, layer: int, state: State) -> tuple[int, int]: ...
    def initial_state(self) -> tuple[Cost, State]: ...
    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]: ...
    def final_cost(self, state: State) -> Cost: ...


class Place:
    """A state in front of a layer (or of the head), with what has been learned about what follows."""

    __slots__ = ("edges", "fans", "layer", "ranges", "state", "tail", "tracks")

    def __init__(self, layer: int, state: State) -> None:
        self.layer = layer
        self.state = state
        self.edges: dict[int, Edge] = {}
        self.ranges: tuple[Counts, Counts] | None = None
        self.tail: tuple[Choices, Counts] | None = None
        self.fans: dict[int, Fan] = {}
        self.tracks: dict[int, Track] = {}


Edge = tuple[int, int, int, int, Place]
"""The counts that an option adds, and where it leads."""


Reached = dict[Place, tuple[int, int]]
"""What was spent on the way to places, at least and at most."""


class Fan(NamedTuple):
    """What is added from a place on by each of its options, at least and at most, all later layers free."""

    lows: list[int]
    highs: list[int]
    largest_low: int
    least_high: int


class Track(NamedTuple):
    """What is added from a place on when its first 0, 1, 2, ... layers keep their default; both lists only rise."""

    lows: list[int]
    negated_highs: list[int]


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
        final = (place.ranges or self._range(place))[0]
        told = nanoseconds + final[3] if self._latency is not None else None
        return Cost(params + final[0], madds + final[1], activations + final[2], nanoseconds=told)

    def completed(self, prefix: Choices, metric: str, limits: Sequence[Limit]) -> tuple[Choices, float, int]:
        """The network that completes a prefix with defaults, its cost, and `SearchSpace.reach`."""
        count, scale = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        choices, counts = place.tail or self._tail(place)
        reach = self._depth
        for limit in limits:
            same = limit.count
            passed = spent if same == count else self._walk(prefix, same)[0]
            lows, negated_highs = place.tracks.get(same) or self._track(place, same)
            fitting = bisect_right(lows, limit.top - passed)
            if limit.bottom:
                fitting = min(fitting, bisect_right(negated_highs, passed - limit.bottom))
            reach = min(reach, len(prefix) - 1 + fitting)
        return prefix + choices, (spent + counts[count]) * scale / MILLION, reach

    def cost_range(self, prefix: Choices, until: int, metric: str) -> tuple[float, float]:
        """A metric's least and largest value behind a prefix, layers from ``until`` on at their defaults."""
        count, scale = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        low, high = self._between(place, until, count)
        return (spent + low) * scale / MILLION, (spent + high) * scale / MILLION

    def child_ranges(self, prefix: Choices, until: int, metric: str) -> list[tuple[float, float]]:
        """`cost_range` of every option of the layer behind the prefix, walking the prefix once."""
        count, scale = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        found = []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            edge = place.edges.get(choice) or self._edge(place, choice)
            low, high = (spent + edge[count] + end for end in self._between(edge[4], until, count))
            found.append((low * scale / MILLION, high * scale / MILLION))
        return found

    def layer_ranges(self, metric: str) -> list[tuple[float, float]]:
        """`cost_range` of the empty prefix for ``until`` = 1, 2, ..., in one pass."""
        count, scale = COUNTS[metric]
        start, first, depth = self._start[count], self._first, self._depth
        ends = [*islice(self._spread(first, count), 1, depth), self._between(first, depth, count)]
        return [((start + low) * scale / MILLION, (start + high) * scale / MILLION) for low, high in ends]

    def meeting(self, prefix: Choices, limits: Sequence[Limit]) -> Sequence[int]:
        """Options of the layer behind a prefix whose intervals, all later layers free, meet every limit."""
        options: Sequence[int] | None = None
        for limit in limits:
            count = limit.count
            spent, place = self._walk(prefix, count)
            lows, highs, largest_low, least_high = place.fans.get(count) or self._fan(place, count)
            top, bottom = limit.top - spent, limit.bottom - spent
            if options is None:
                options = range(len(lows))
            if largest_low > top or least_high < bottom:
                options = [option for option in options if lows[option] <= top and highs[option] >= bottom]
        if options is not None:
            return options
        place = self._walk(prefix, 0)[1]
        return range(self._space.branches(place.layer, place.state)[0])

    def cost_range_among(self, allowed: Sequence[Iterable[int]], metric: str) -> tuple[float, float]:
        """A metric's least and largest value where each layer takes one of its allowed options."""
        count, scale = COUNTS[metric]
        start = self._start[count]
        reached = {self._first: (start, start)}
        for options in allowed:
            reached = self._onward(reached, count, lambda _, options=options: options)  # type: ignore[misc]
        ends = [(low + final, high + final) for final, low, high in self._finished(reached, count)]
        return min(low for low, _ in ends) * scale / MILLION, max(high for _, high in ends) * scale / MILLION

    # --- what is learned ---------------------------------------------------------------------------------------
    def _between(self, place: Place, until: int, count: Count) -> tuple[int, int]:
        """What is added to one count from a place on, layers from ``until`` on at their defaults."""
        if until <= place.layer:
            spent = (place.tail or self._tail(place))[1][count]
            return spent, spent
        if until >= self._depth:
            low, high = place.ranges or self._range(place)
            return low[count], high[count]
        return next(islice(self._spread(place, count), until - place.layer, None))

    def _spread(self, place: Place, count: Count) -> Iterator[tuple[int, int]]:
        """`_between` for ``until`` = the place's layer, the one behind it, and so on to the last."""
        branches = self._space.branches
        reached = {place: (0, 0)}
        for layer in range(place.layer, self._depth + 1):
            ends = self._finished(reached, count)
            yield min(low + tail for tail, low, _ in ends), max(high + tail for tail, _, high in ends)
            if layer < self._depth:
                reached = self._onward(reached, count, lambda at: range(branches(at.layer, at.state)[0]))

    def _finished(self, reached: Reached, count: Count) -> list[tuple[int, int, int]]:
        """What defaults add behind each place, and what was spent there at least and at most."""
        return [((place.tail or self._tail(place))[1][count], *ends) for place, ends in reached.items()]

    def _onward(self, reached: Reached, count: Count, options: Callable[[Place], Iterable[int]]) -> Reached:
        """One layer further, by some options of each place."""
        after: Reached = {}
        for place, (low, high) in reached.items():
            for choice in options(place):
                edge = place.edges.get(choice) or self._edge(place, choice)
                added = edge[count]
                least, largest = after.get(edge[4], (low + added, high + added))
                after[edge[4]] = min(least, low + added), max(largest, high + added)
        return after

    def _walk(self, prefix: Choices, count: Count) -> tuple[int, Place]:
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

    def _edge(self, place: Place, choice: int) -> Edge:
        cost, after = self._space.step(place.layer, place.state, choice)
        edge = *self._counts(cost), self._place(place.layer + 1, after)
        place.edges[choice] = edge
        return edge

    def _range(self, place: Place) -> tuple[Counts, Counts]:
        """What is added from a place on, at least and at most, all layers free."""
        if place.layer == self._depth:
            counts = self._counts(self._space.final_cost(place.state))
            place.ranges = counts, counts
            return place.ranges
        lows: list[Counts] = []
        highs: list[Counts] = []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            params, madds, activations, nanoseconds, after = place.edges.get(choice) or self._edge(place, choice)
            low, high = after.ranges or self._range(after)
            lows.append((params + low[0], madds + low[1], activations + low[2], nanoseconds + low[3]))
            highs.append((params + high[0], madds + high[1], activations + high[2], nanoseconds + high[3]))
        least: Counts = tuple(map(min, zip(*lows, strict=True)))
        largest: Counts = tuple(map(max, zip(*highs, strict=True)))
        place.ranges = least, largest
        return place.ranges

    def _tail(self, place: Place) -> tuple[Choices, Counts]:
        """The defaults behind a place, and what they add."""
        if place.layer == self._depth:
            place.tail = (), (place.ranges or self._range(place))[0]
            return place.tail
        default = self._space.branches(place.layer, place.state)[1]
        params, madds, activations, nanoseconds, after = place.edges.get(default) or self._edge(place, default)
        choices, added = after.tail or self._tail(after)
        counts = params + added[0], madds + added[1], activations + added[2], nanoseconds + added[3]
        place.tail = (default, *choices), counts
        return place.tail

    def _fan(self, place: Place, count: Count) -> Fan:
        lows, highs = [], []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            edge = place.edges.get(choice) or self._edge(place, choice)
            low, high = edge[4].ranges or self._range(edge[4])
            lows.append(edge[count] + low[count])
            highs.append(edge[count] + high[count])
        place.fans[count] = Fan(lows, highs, max(lows), min(highs))
        return place.fans[count]

    def _track(self, place: Place, count: Count) -> Track:
        low, high = place.ranges or self._range(place)
        lows, negated_highs = [low[count]], [-high[count]]
        if place.layer < self._depth:
            default = self._space.branches(place.layer, place.state)[1]
            edge = place.edges.get(default) or self._edge(place, default)
            after = edge[4].tracks.get(count) or self._track(edge[4], count)
            lows += [edge[count] + rest for rest in after.lows]
            negated_highs += [rest - edge[count] for rest in after.negated_highs]
        place.tracks[count] = Track(lows, negated_highs)
        return place.tracks[count]


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
