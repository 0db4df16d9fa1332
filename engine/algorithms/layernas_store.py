"""What LayerNAS remembers: every layer's stored models, in buckets, and which of them still have untried children.

A network scored once is stored at its own layer and carried to the later ones, so the same `number` occurs in several
`Layer`s; each occurrence is a `Model` of its own, with its own untried children.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any, Protocol

from engine.buckets import Bucket, CostScale
from engine.space import Choices

EXHAUSTED = -1


class Model:
    """A stored network: the first ``l`` choices are decided, the later ones are defaults.

    ``children`` are the valid options of layer l+1, each with the cost of its network, in the order they are tried;
    they are listed when the model is first looked at. ``position`` counts those proposed, `EXHAUSTED` when all were.
    """

    __slots__ = ("children", "choices", "number", "position", "score", "stored")

    def __init__(self, number: int, score: float, choices: Choices, position: int = 0) -> None:
        self.number = number
        self.score = score
        self.choices = choices
        self.children: list[tuple[int, float]] | None = None
        self.position = position
        self.stored = True

    def take_child(self) -> tuple[int, float]:
        """The next child; there must be one. What a model without further children listed is forgotten."""
        assert self.children is not None
        child = self.children[self.position]
        self.position += 1
        if self.position == len(self.children):
            self.position = EXHAUSTED
            self.children = None
        return child

    def dump(self) -> list[Any]:
        """JSON-ready."""
        return [self.number, self.score, list(self.choices), self.position]


HasChild = Callable[[Model], bool]


class Selection(Protocol):
    """Chooses which stored model is extended next, without looking at all of them."""

    def add(self, model: Model) -> None:
        """A model was stored."""

    def remove(self, model: Model) -> None:
        """A model was evicted."""

    def select(self, has_child: HasChild, rng: Callable[[], Random]) -> Model | None:
        """A stored model with work left, or None."""

    def any(self, has_child: HasChild) -> bool:
        """Whether `select` would find one; changes no later selection."""

    def dump(self) -> list[int] | None:
        """Numbers of the models that may have work left, when their order matters; else None."""

    def load(self, models: Iterable[Model]) -> None:
        """Forgets all and takes these, in the order of `dump`."""


class BestFirst:
    """The highest score first, of equal scores the earlier network: a heap, swept when half of it was evicted."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Model]] = []
        self._evicted = 0

    def add(self, model: Model) -> None:
        heappush(self._heap, (-model.score, model.number, model))

    def remove(self, model: Model) -> None:
        self._evicted += 1
        if 2 * self._evicted > len(self._heap):
            self.load([m for _, _, m in self._heap if m.stored])

    def select(self, has_child: HasChild, rng: Callable[[], Random]) -> Model | None:
        while self._heap:
            model = self._heap[0][2]
            if model.stored and has_child(model):
                return model
            heappop(self._heap)
        return None

    def any(self, has_child: HasChild) -> bool:
        return self.select(has_child, Random) is not None

    def dump(self) -> None:
        return None

    def load(self, models: Iterable[Model]) -> None:
        self._heap = [(-m.score, m.number, m) for m in models]
        heapify(self._heap)
        self._evicted = 0


class UniformlyRandom:
    """Any stored model with work left, all equally likely: draws until one fits and forgets those that do not."""

    def __init__(self) -> None:
        self._open: list[Model] = []
        self._places: dict[int, int] = {}

    def add(self, model: Model) -> None:
        self._places[model.number] = len(self._open)
        self._open.append(model)

    def remove(self, model: Model) -> None:
        place = self._places.pop(model.number, None)
        if place is None:
            return
        last = self._open.pop()
        if last is not model:
            self._open[place] = last
            self._places[last.number] = place

    def select(self, has_child: HasChild, rng: Callable[[], Random]) -> Model | None:
        random = rng()
        while self._open:
            model = random.choice(self._open)
            if has_child(model):
                return model
            self.remove(model)
        return None

    def any(self, has_child: HasChild) -> bool:
        return any(has_child(model) for model in self._open)

    def dump(self) -> list[int]:
        return [model.number for model in self._open]

    def load(self, models: Iterable[Model]) -> None:
        self._open = list(models)
        self._places = {model.number: place for place, model in enumerate(self._open)}


SELECTIONS: Mapping[str, Callable[[], Selection]] = {"best": BestFirst, "random": UniformlyRandom}


class Layer:
    """``M_l``: the stored models of one layer. ``capacity`` None keeps every network."""

    def __init__(self, scale: CostScale, capacity: int | None, selection: Selection) -> None:
        self.scale = scale
        self.capacity = capacity
        self.selection = selection
        self.buckets: dict[int, Bucket[Model]] = {}

    def offer(self, cost: float, score: float) -> int:
        """The bucket that would store a network of that score, which was not offered before; -1 for none."""
        index = self.scale.index(cost)
        bucket = self.buckets.get(index)
        return index if bucket is None or score > bucket.floor else -1

    def insert(self, index: int, model: Model) -> None:
        """Stores a network that `offer` placed there; the one it drives out loses its untried children."""
        bucket = self.buckets.get(index)
        if bucket is None:
            bucket = self.buckets[index] = Bucket(self.capacity)
        loser = bucket.insert(model)
        self.selection.add(model)
        if loser is not None:
            loser.stored = False
            self.selection.remove(loser)

    def find(self, number: int) -> Model | None:
        """The stored model of that number."""
        return next((m for b in self.buckets.values() for m in b.residents if m.number == number), None)

    def reopen(self, order: list[int] | None) -> None:
        """Offers the stored models that an earlier `Selection.dump` named, in its order; else all with children."""
        models = {m.number: m for b in self.buckets.values() for m in b.residents}
        opened = [number for number, m in models.items() if m.position != EXHAUSTED] if order is None else order
        self.selection.load(models[number] for number in opened if number in models)

    def dump(self) -> dict[str, Any]:
        """JSON-ready; inverse of `load`."""
        rows = [
            [index, bucket.inserted, bucket.evicted, [model.dump() for model in bucket.residents]]
            for index, bucket in sorted(self.buckets.items())
        ]
        return {"buckets": rows, "open": self.selection.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Fills a fresh layer."""
        models: dict[int, Model] = {}
        for index, inserted, evicted, rows in state["buckets"]:
            bucket = self.buckets[index] = Bucket(self.capacity)
            for number, score, choices, position in rows:
                models[number] = Model(number, score, tuple(choices), position)
                bucket.restore(models[number])
            bucket.inserted, bucket.evicted = inserted, evicted
        opened = [m for m in models.values() if m.position != EXHAUSTED]
        self.selection.load(opened if state["open"] is None else [models[number] for number in state["open"]])
