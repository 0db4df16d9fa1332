"""The memory of LayerNAS: every layer's stored networks in buckets, and which of them still have untried children.

A scored network is stored at its own layer and carried to the later ones, so the same `Ranked` occurs in several
`StoredLayer`s. Each layer has its own `Untried` for it.
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


class Untried:
    """The untried children of a network at one layer.

    ``options`` are the valid options of the next layer in the order they are tried; None until they are listed.
    ``position`` is the number of options proposed so far, or `EXHAUSTED` when all have been proposed.
    """

    __slots__ = ("options", "position")

    def __init__(self, options: list[int] | None, position: int = 0) -> None:
        self.options = options
        self.position = position

    def take(self) -> int:
        """Return the next option; there must be one. The list is dropped after its last option."""
        assert self.options is not None
        option = self.options[self.position]
        self.position += 1
        if self.position == len(self.options):
            self.position = EXHAUSTED
            self.options = None
        return option


Draws = Callable[[int], Random]
"""A function that returns the random generator of one layer's selection for the proposal with a given number."""


class Selection(Protocol):
    """Chooses which stored network of a layer is extended next, without a pass over all networks."""

    def __init__(self, layer: StoredLayer, draws: Draws) -> None:
        """Keep ``layer``, which says what it still stores and which networks have untried children."""

    def add(self, network: Ranked) -> None:
        """Note that a network was stored."""

    def remove(self, network: Ranked) -> None:
        """Note that a network was evicted."""

    def select(self, number: int) -> Ranked | None:
        """Return a stored network with untried children for the proposal with this number, or None."""

    def any(self) -> bool:
        """Return whether `select` would find a network; the call does not change later selections."""

    def dump(self) -> list[int] | None:
        """Return the numbers of the networks that may have untried children if their order matters, else None."""

    def load(self, networks: Iterable[Ranked]) -> None:
        """Replace all networks by these, in the order of `dump`."""


class BestFirst:
    """Selects the highest score first, and the earlier network among equal scores.

    The networks are kept in a heap, which is cleaned up when half of its entries have been evicted.
    """

    def __init__(self, layer: StoredLayer, draws: Draws) -> None:
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
    """Selects any stored network with untried children, all equally likely.

    It draws until a network has untried children, and drops the drawn networks that have none.
    """

    def __init__(self, layer: StoredLayer, draws: Draws) -> None:
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


class StoredLayer:
    """``M_l``: the stored networks of one layer; with ``capacity`` None it keeps every network.

    ``list_options`` lists the options that can be tried for a network. ``floors`` has, for each bucket index, the score
    that a new network must exceed. ``stored`` maps the number of each stored network to its untried children, or None
    until these are first needed.
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
        self.stored: dict[int, Untried | None] = {}
        self.selection: Selection = SELECTIONS[select](self, draws)
        self.buckets: dict[int, Bucket] = {}
        self.floors = [-inf] * scale.count

    @property
    def grid(self) -> tuple[float, float, list[float]]:
        """The values with which a caller computes bucket indexes without a call.

        These are the cost above which the index is not 0, the width of all slices together, and the floors.
        """
        width = self.scale.high - self.scale.low
        return self.scale.low if width > 0 else inf, width, self.floors

    def insert(self, index: int, network: Ranked) -> None:
        """Store a network whose score exceeds a bucket's floor; a network evicted by it loses its untried children."""
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
        """Return whether the network is stored here and has an untried valid child."""
        work = self.stored.get(network[1], GONE)
        if work is None:
            work = self.stored[network[1]] = Untried(self.list_options(network))
        elif work.options is None:
            if work.position == EXHAUSTED:
                return False
            work.options = self.list_options(network)
        return work.position < len(work.options)  # type: ignore[arg-type]

    def take(self, network: Ranked) -> int:
        """Return the next option of a network for which `has_child` is true."""
        work = self.stored[network.number]
        assert work is not None
        return work.take()

    def position(self, number: int) -> int | None:
        """Return how many children of a network were proposed, `EXHAUSTED` for all, or None if it is not stored."""
        work = self.stored.get(number, GONE)
        return 0 if work is None else None if work is GONE else work.position

    def find(self, number: int) -> Ranked | None:
        """Return the stored network with this number, or None."""
        return next((n for b in self.buckets.values() for n in b.residents if n.number == number), None)

    def reopen(self, order: list[int] | None) -> None:
        """Offer networks for selection: those that an earlier `Selection.dump` named, in its order.

        Without a dump (None), all stored networks with untried children are offered.
        """
        networks = {n.number: n for b in self.buckets.values() for n in b.residents}
        if order is None:
            order = [number for number in networks if self.position(number) != EXHAUSTED]
        self.selection.load(networks[number] for number in order if number in networks)

    def dump(self) -> dict[str, Any]:
        """Return a state that can be written as JSON; `load` reads it."""
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
        """Fill a new layer from a dumped state."""
        for index, inserted, evicted, rows in state["buckets"]:
            bucket = self.buckets[index] = Bucket(self.capacity)
            for number, score, choices, position in rows:
                bucket.restore(Ranked(-score, number, tuple(choices)))
                self.stored[number] = Untried(None, position) if position else None
            bucket.inserted, bucket.evicted = inserted, evicted
            self.floors[index] = bucket.floor
        self.reopen(state["open"])


GONE = Untried(None, EXHAUSTED)
"""Stands for networks that are not stored; it has no untried children."""
