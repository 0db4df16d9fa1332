"""Exact costs and cost intervals of a layered space, by dynamic programming over (layer, state).

A `Place` is a state that reaches a layer. Its edges are that layer's options, each with the counts that it adds and the
place that it leads to. Places are made when they are first reached, and all prefixes that reach them share them. So a
cost takes one look-up for each layer, and the intervals behind a place (LayerNAS, equation 4 and section 4.2) are
computed once. Counts stay integers until the end: the interval of a complete network is its cost to the last bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from operator import add
from typing import NamedTuple, Protocol

from engine.cost import COUNTS, MILLION, Cost, Counts
from engine.latency import LatencyTable
from engine.limits import Limit
from engine.operators import Operator

Choices = tuple[int, ...]
State = Hashable


class Layered(Protocol):
    """What a trellis asks a space for; `engine.stepped.SteppedSpace` says what each answer means."""

    latency: LatencyTable | None

    @property
    def depth(self) -> int: ...
    def branches(self, layer: int, state: State) -> tuple[int, int]: ...
    def initial_state(self) -> tuple[Cost, State]: ...
    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]: ...
    def final_cost(self, state: State) -> Cost: ...


class Place:
    """A state in front of a layer or of the head, and all that is known of what follows."""

    __slots__ = ("edges", "fans", "layer", "ranges", "state", "tail", "tracks")

    def __init__(self, layer: int, state: State) -> None:
        self.layer = layer
        self.state = state
        self.edges: dict[int, Edge] = {}
        self.ranges: tuple[Counts, Counts] | None = None
        self.tail: tuple[Choices, Counts] | None = None
        self.fans: dict[int, Fan] = {}
        self.tracks: dict[int, Track] = {}


Edge = tuple[Counts, Place]
"""The counts that an option adds, and where it leads."""
Reached = dict[Place, tuple[int, int]]
"""The least and the largest count of the ways to each place."""


class Fan(NamedTuple):
    """The least and the largest count from a place on for each of its options, with all later layers free."""

    lows: list[int]
    highs: list[int]
    largest_low: int
    least_high: int


class Track(NamedTuple):
    """The least and the negated largest count from a place on when its first 0, 1, 2, ... layers keep their default.

    Neither list ever falls.
    """

    lows: list[int]
    negated_highs: list[int]


class Trellis:
    """All places of one space. The space computes each step, its initial state and each final cost only once."""

    def __init__(self, space: Layered) -> None:
        self._space = space
        self._depth = space.depth
        self._places: dict[tuple[int, State], Place] = {}
        cost, state = space.initial_state()
        self._latency = space.latency
        self._start = cost.counts(self._latency)
        self._first = self._place(0, state)

    def cost(self, choices: Choices) -> Cost:
        """Return the cost of the complete network, without its operators."""
        added = [self._start]
        place = self._first
        for choice in choices:
            counts, place = place.edges.get(choice) or self._edge(place, choice)
            added.append(counts)
        added.append((place.ranges or self._range(place))[0])
        return Cost.of(map(sum, zip(*added, strict=True)), timed=self._latency is not None)

    def completed(self, prefix: Choices, metric: str, limits: Sequence[Limit]) -> tuple[Choices, float, int]:
        """Return the network that completes a prefix with defaults, its cost, and its `SearchSpace.reach`."""
        count, weight = COUNTS[metric]
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
        return prefix + choices, (spent + counts[count]) * weight / MILLION, reach

    def cost_range(self, prefix: Choices, until: int, metric: str) -> tuple[float, float]:
        """Return a metric's least and largest value behind a prefix, with defaults from ``until`` on."""
        count, weight = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        low, high = self._between(place, until, count)
        return (spent + low) * weight / MILLION, (spent + high) * weight / MILLION

    def child_ranges(self, prefix: Choices, until: int, metric: str) -> list[tuple[float, float]]:
        """Return `cost_range` for every option of the layer behind the prefix, walking the prefix once."""
        count, weight = COUNTS[metric]
        spent, place = self._walk(prefix, count)
        found = []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            counts, after = place.edges.get(choice) or self._edge(place, choice)
            low, high = (spent + counts[count] + end for end in self._between(after, until, count))
            found.append((low * weight / MILLION, high * weight / MILLION))
        return found

    def layer_ranges(self, metric: str) -> list[tuple[float, float]]:
        """Return `cost_range` of the empty prefix for ``until`` = 1, 2, ..., in one pass."""
        count, weight = COUNTS[metric]
        start = self._start[count]
        first = self._first
        depth = self._depth
        ends = [*islice(self._spread(first, count), 1, depth), self._between(first, depth, count)]
        return [((start + low) * weight / MILLION, (start + high) * weight / MILLION) for low, high in ends]

    def meeting(self, prefix: Choices, limits: Sequence[Limit]) -> Sequence[int]:
        """Return the options of the layer behind a prefix whose intervals, with later layers free, meet every limit."""
        options: Sequence[int] | None = None
        for limit in limits:
            count = limit.count
            spent, place = self._walk(prefix, count)
            lows, highs, largest_low, least_high = place.fans.get(count) or self._fan(place, count)
            top = limit.top - spent
            bottom = limit.bottom - spent
            if options is None:
                options = range(len(lows))
            if largest_low > top or least_high < bottom:
                options = [option for option in options if lows[option] <= top and highs[option] >= bottom]
        if options is not None:
            return options
        place = self._walk(prefix, 0)[1]
        return range(self._space.branches(place.layer, place.state)[0])

    def cost_range_among(self, allowed: Sequence[Iterable[int]], metric: str) -> tuple[float, float]:
        """Return a metric's least and largest value if each layer takes one of its allowed options."""
        count, weight = COUNTS[metric]
        start = self._start[count]
        reached = {self._first: (start, start)}
        for options in allowed:
            reached = self._onward(reached, count, lambda _, options=options: options)  # type: ignore[misc]
        ends = [(low + final, high + final) for final, low, high in self._finished(reached, count)]
        return min(low for low, _ in ends) * weight / MILLION, max(high for _, high in ends) * weight / MILLION

    # --- what is learned ---------------------------------------------------------------------------------------
    def _between(self, place: Place, until: int, count: int) -> tuple[int, int]:
        """Return the least and the largest of one count from a place on, with defaults from layer ``until`` on."""
        if until <= place.layer:
            spent = (place.tail or self._tail(place))[1][count]
            return spent, spent
        if until >= self._depth:
            low, high = place.ranges or self._range(place)
            return low[count], high[count]
        return next(islice(self._spread(place, count), until - place.layer, None))

    def _spread(self, place: Place, count: int) -> Iterator[tuple[int, int]]:
        """Yield `_between` for every ``until`` from the place's layer to the depth of the space."""
        branches = self._space.branches
        reached = {place: (0, 0)}
        for layer in range(place.layer, self._depth + 1):
            ends = self._finished(reached, count)
            yield min(low + tail for tail, low, _ in ends), max(high + tail for tail, _, high in ends)
            if layer < self._depth:
                reached = self._onward(reached, count, lambda at: range(branches(at.layer, at.state)[0]))

    def _finished(self, reached: Reached, count: int) -> list[tuple[int, int, int]]:
        """Return, for each place, the count of the defaults behind it and the least and largest count so far."""
        return [((place.tail or self._tail(place))[1][count], *ends) for place, ends in reached.items()]

    def _onward(self, reached: Reached, count: int, options: Callable[[Place], Iterable[int]]) -> Reached:
        """Return the places one layer further that some options of each place lead to."""
        after: Reached = {}
        for place, (low, high) in reached.items():
            for choice in options(place):
                counts, behind = place.edges.get(choice) or self._edge(place, choice)
                added = counts[count]
                least, largest = after.get(behind, (low + added, high + added))
                after[behind] = min(least, low + added), max(largest, high + added)
        return after

    def _walk(self, prefix: Choices, count: int) -> tuple[int, Place]:
        """Return one count of a prefix, and the place behind it."""
        spent = self._start[count]
        place = self._first
        for choice in prefix:
            counts, place = place.edges.get(choice) or self._edge(place, choice)
            spent += counts[count]
        return spent, place

    def _place(self, layer: int, state: State) -> Place:
        key = layer, state
        if key not in self._places:
            self._places[key] = Place(layer, state)
        return self._places[key]

    def _edge(self, place: Place, choice: int) -> Edge:
        cost, after = self._space.step(place.layer, place.state, choice)
        edge = cost.counts(self._latency), self._place(place.layer + 1, after)
        place.edges[choice] = edge
        return edge

    def _range(self, place: Place) -> tuple[Counts, Counts]:
        """Return the least and the largest counts from a place on, with all layers free, for each count by itself."""
        if place.layer == self._depth:
            counts = self._space.final_cost(place.state).counts(self._latency)
            place.ranges = counts, counts
            return place.ranges
        lows: list[Counts] = []
        highs: list[Counts] = []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            counts, after = place.edges.get(choice) or self._edge(place, choice)
            low, high = after.ranges or self._range(after)
            lows.append(tuple(map(add, counts, low)))
            highs.append(tuple(map(add, counts, high)))
        place.ranges = tuple(map(min, zip(*lows, strict=True))), tuple(map(max, zip(*highs, strict=True)))
        return place.ranges

    def _tail(self, place: Place) -> tuple[Choices, Counts]:
        """Return the defaults behind a place, and their counts."""
        if place.layer == self._depth:
            place.tail = (), (place.ranges or self._range(place))[0]
            return place.tail
        default = self._space.branches(place.layer, place.state)[1]
        counts, after = place.edges.get(default) or self._edge(place, default)
        choices, added = after.tail or self._tail(after)
        place.tail = (default, *choices), tuple(map(add, counts, added))
        return place.tail

    def _fan(self, place: Place, count: int) -> Fan:
        lows = []
        highs = []
        for choice in range(self._space.branches(place.layer, place.state)[0]):
            counts, after = place.edges.get(choice) or self._edge(place, choice)
            low, high = after.ranges or self._range(after)
            lows.append(counts[count] + low[count])
            highs.append(counts[count] + high[count])
        place.fans[count] = Fan(lows, highs, max(lows), min(highs))
        return place.fans[count]

    def _track(self, place: Place, count: int) -> Track:
        low, high = place.ranges or self._range(place)
        lows = [low[count]]
        negated_highs = [-high[count]]
        if place.layer < self._depth:
            default = self._space.branches(place.layer, place.state)[1]
            counts, after = place.edges.get(default) or self._edge(place, default)
            behind = after.tracks.get(count) or self._track(after, count)
            lows += [counts[count] + rest for rest in behind.lows]
            negated_highs += [rest - counts[count] for rest in behind.negated_highs]
        place.tracks[count] = Track(lows, negated_highs)
        return place.tracks[count]


def operators(space: Layered) -> frozenset[Operator]:
    """Return every operator of every network of a space; each option is taken once in each state of its layer."""
    cost, state = space.initial_state()
    found = set(cost.operators)
    states = {state}
    for layer in range(space.depth):
        steps = [
            space.step(layer, state, choice) for state in states for choice in range(space.branches(layer, state)[0])
        ]
        found.update(*(cost.operators for cost, _ in steps))
        states = {after for _, after in steps}
    return frozenset(found.union(*(space.final_cost(state).operators for state in states)))
