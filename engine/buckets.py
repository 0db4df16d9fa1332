"""Buckets: models of similar cost compete, models of different cost do not (LayerNAS, section 4.2, equation 4)."""

from __future__ import annotations

from bisect import insort
from math import inf
from typing import Generic, Protocol, TypeVar


class Ranked(Protocol):
    """What a bucket keeps: the number names the network, a higher score is better."""

    @property
    def number(self) -> int: ...

    @property
    def score(self) -> float: ...


R = TypeVar("R", bound=Ranked)


class CostScale:
    """``count`` slices of equal width from ``low`` to ``high``, in the metric's unit; the top one includes ``high``."""

    __slots__ = ("_top", "_width", "count", "high", "low")

    def __init__(self, low: float, high: float, count: int) -> None:
        self.low = low
        self.high = high
        self.count = count
        self._top = count - 1
        self._width = high - low

    def index(self, cost: float) -> int:
        """Equation 4, clamped to 0..count-1; 0 when the range is a point or the cost is unknown."""
        if self._width > 0 and cost > self.low:
            index = int((cost - self.low) / self._width * self.count)
            return index if index < self._top else self._top
        return 0

    def interval(self, index: int) -> tuple[float, float]:
        """Lower and upper cost of a slice."""
        step = (self.high - self.low) / self.count
        return self.low + index * step, self.high if index == self.count - 1 else self.low + (index + 1) * step


class Bucket(Generic[R]):
    """The best ``capacity`` models of one cost slice, best first; without a capacity, all of them.

    A model enters when there is room or its score is strictly above the worst one's, and never twice. Of equal scores
    the later number counts as the worse.
    """

    __slots__ = ("_numbers", "capacity", "evicted", "floor", "inserted", "residents")

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.residents: list[R] = []
        self._numbers: set[int] = set()
        self.floor = -inf
        """The score that a newcomer must exceed: the worst one's when the bucket is full."""
        self.inserted = 0
        self.evicted = 0

    def accepts(self, number: int, score: float) -> bool:
        """Whether a model of that number and score would enter."""
        return score > self.floor and number not in self._numbers

    def insert(self, item: R) -> R | None:
        """Takes a model that `accepts` agreed to; returns the one it drove out."""
        loser = None
        if self.capacity is not None and len(self.residents) >= self.capacity:
            loser = self.residents.pop()
            self._numbers.remove(loser.number)
            self.evicted += 1
        self.restore(item)
        self.inserted += 1
        return loser

    def restore(self, item: R) -> None:
        """Puts back a model that a saved bucket held; nothing is counted."""
        insort(self.residents, item, key=_rank)
        self._numbers.add(item.number)
        if self.capacity is not None and len(self.residents) >= self.capacity:
            self.floor = self.residents[-1].score


def _rank(item: Ranked) -> tuple[float, int]:
    return -item.score, item.number
