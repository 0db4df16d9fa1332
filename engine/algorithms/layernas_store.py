"""What LayerNAS remembers: every layer's stored networks, in buckets, and which of them still have untried children.

A network scored once is stored at its own layer and carried to the later ones, so the same `Ranked` occurs in several
`Layer`s; each has its own `Work` for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from heapq import heapify, heappop, heappush
from math import inf
from random import Random
from typing import Any, Protocol

from engine.buckets import Bucket, CostScale, Ranked

EXHAUSTED = -1


class Work:
    """What is left to try of a network at one layer.

    ``options`` are the valid ones of the next layer in the order they are tried, None before they are listed.
    ``position`` counts those proposed, `EXHAUSTED` when all were.
    """

    __slots__ = ("options", "position")

    def __init__(self, options: list[int] | None, position: int = 0) -> None:
        self.options = options
        self.position = position

    def take(self) -> int:
        """The next option; there must be one. The list is forgotten with its last."""
        assert self.options is not None
        option = self.options[self.position]
        self.position += 1
        if self.position == len(self.options):
            self.position = EXHAUSTED
            self.options = None
        return option


Draws = Callable[[int], Random]
"""The generator of one layer's selection for a proposal of that number."""


class Selection(Protocol):
    """Chooses which stored network of a layer is extended next, without looking at all of them."""

    def __init__(self, layer: Layer, draws: Draws) -> None:
        """``layer`` is asked what it still stores and what has children."""

    def add(self, network: Ranked) -> None:
        """A network was stored."""

    def remove(self, network: Ranked) -> None:
        """A network was evicted."""

    def select(self, number: int) -> Ranked | None:
        """A stored network with work left for the proposal of that number, or None."""

    def any(self) -> bool:
        """Whether `select` would find one; changes no later selection."""

    def dump(self) -> list[int] | None:
        """Numbers of the networks that may have work left, when their order matters; else None."""

    def load(self, networks: Iterable[Ranked]) -> None:
        """Forgets all and takes these, in the order of `dump`."""


class BestFirst:
    """The highest score first, of equal scores the earlier network: a heap, swept when half of it was evicted."""

    def __init__(self, layer: Layer, draws: Draws) -> None:
        self._layer = layer
        self._heap: list[Ranked] = []
        self._evicted = 0
        self.add = partial(heappush, self._heap)

    def remove(self, network: Ranked) -> None:
        self._evicted += 1
        if 2 * self._evicted > len(self._heap):
            stored = self._layer.stored
            self.load([network for network in self._heap if network[1] in stored])

    def select(self, number: int) -> Ranked | None:
        heap = self._heap
        has_child = self._layer.has_child
        while heap:
            if has_child(heap[0]):
                return heap[0]
            heappop(heap)
        return None

    def any(self) -> bool:
        return self.select(0) is not None

    def dump(self) -> None:
        return None

    def load(self, networks: Iterable[Ranked]) -> None:
        self._heap[:] = networks
        heapify(self._heap)
        self._evicted = 0


class UniformlyRandom:
    """Any stored network with work left, all equally likely: draws until one fits and forgets those that do not."""

    def __init__(self, layer: Layer, draws: Draws) -> None:
        self._layer = layer
        self._draws = draws
        self._open: list[Ranked] = []
        self._places: dict[int, int] = {}

    def add(self, network: Ranked) -> None:
        self._places[network.number] = len(self._open)
        self._open.append(network)

    def remove(self, network: Ranked) -> None:
        place = self._places.pop(network.number, None)
        if place is None:
            return
        last = self._open.pop()
        if last is not network:
            self._open[place] = last
            self._places[last.number] = place

    def select(self, number: int) -> Ranked | None:
        random = self._draws(number)
        while self._open:
            network = random.choice(self._open)
            if self._layer.has_child(network):
                return network
            self.remove(network)
        return None

    def any(self) -> bool:
        return any(map(self._layer.has_child, self._open))

    def dump(self) -> list[int]:
        return [network.number for network in self._open]

    def load(self, networks: Iterable[Ranked]) -> None:
        self._open = list(networks)
        self._places = {network.number: place for place, network in enumerate(self._open)}


SELECTIONS: Mapping[str, type[BestFirst] | type[UniformlyRandom]] = {"best": BestFirst, "random": UniformlyRandom}


class Layer:
    """``M_l``: the stored networks of one layer. ``capacity`` None keeps every network.

    ``list_options`` says what can be tried of one; ``floors`` are the buckets' by index, the score that a newcomer must
    exceed; ``stored`` has the networks by number with what is left to try of them, None until one looks.
    """

    __slots__ = ("buckets", "capacity", "floors", "list_options", "scale", "selection", "stored")

    def __init__(
        self,
        scale: CostScale,
        capacity: int | None,
        select: str,
        draws: Draws,
        list_options: Callable[[Ranked], list[int]],
    ) -> None:
        self.scale = scale
        self.capacity = capacity
        self.list_options = list_options
        self.stored: dict[int, Work | None] = {}
        self.selection: Selection = SELECTIONS[select](self, draws)
        self.buckets: dict[int, Bucket] = {}
        self.floors = [-inf] * scale.count

    @property
    def grid(self) -> tuple[float, float, list[float]]:
        """Above which cost the index is not 0, the width of all slices together, and the floors: to index in line."""
        width = self.scale.high - self.scale.low
        return self.scale.low if width > 0 else inf, width, self.floors

    def insert(self, index: int, network: Ranked) -> None:
        """Stores a network whose score is above a bucket's floor; the one it drives out loses its untried children."""
        bucket = self.buckets.get(index)
        if bucket is None:
            bucket = self.buckets[index] = Bucket(self.capacity)
        loser = bucket.insert(network)
        self.floors[index] = bucket.floor
        self.stored[network[1]] = None
        self.selection.add(network)
        if loser is not None:
            del self.stored[loser[1]]
            self.selection.remove(loser)

    def has_child(self, network: Ranked) -> bool:
        """Whether it is stored here and an untried valid child of it is left."""
        work = self.stored.get(network[1], GONE)
        if work is None:
            work = self.stored[network[1]] = Work(self.list_options(network))
        elif work.options is None:
            if work.position == EXHAUSTED:
                return False
            work.options = self.list_options(network)
        return work.position < len(work.options)  # type: ignore[arg-type]

    def take(self, network: Ranked) -> int:
        """The next option of a network that `has_child`."""
        work = self.stored[network.number]
        assert work is not None
        return work.take()

    def position(self, number: int) -> int | None:
        """How many children of a stored network were proposed, `EXHAUSTED` for all; None when it is not stored."""
        work = self.stored.get(number, GONE)
        return 0 if work is None else None if work is GONE else work.position

    def find(self, number: int) -> Ranked | None:
        """The stored network of that number."""
        return next((n for b in self.buckets.values() for n in b.residents if n.number == number), None)

    def reopen(self, order: list[int] | None) -> None:
        """Offers the stored networks that an earlier `Selection.dump` named, in its order; else all with children."""
        networks = {n.number: n for b in self.buckets.values() for n in b.residents}
        if order is None:
            order = [number for number in networks if self.position(number) != EXHAUSTED]
        self.selection.load(networks[number] for number in order if number in networks)

    def dump(self) -> dict[str, Any]:
        """JSON-ready; inverse of `load`."""
        rows = [
            [
                index,
                bucket.inserted,
                bucket.evicted,
                [[n.number, n.score, list(n.choices), self.position(n.number)] for n in bucket.residents],
            ]
            for index, bucket in sorted(self.buckets.items())
        ]
        return {"buckets": rows, "open": self.selection.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Fills a fresh layer."""
        for index, inserted, evicted, rows in state["buckets"]:
            bucket = self.buckets[index] = Bucket(self.capacity)
            for number, score, choices, position in rows:
                bucket.restore(Ranked(-score, number, tuple(choices)))
                self.stored[number] = Work(None, position) if position else None
            bucket.inserted, bucket.evicted = inserted, evicted
            self.floors[index] = bucket.floor
        self.reopen(state["open"])


GONE = Work(None, EXHAUSTED)
"""Stands for networks that are not stored."""
