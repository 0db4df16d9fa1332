"""Buckets: models of similar cost compete, models of different cost do not (LayerNAS, section 4.2, equation 4)."""

from __future__ import annotations

from bisect import insort
from math import inf
from typing import NamedTuple


class Ranked(NamedTuple):
    """A scored network; sorting puts higher scores first, and among equal scores smaller numbers."""

    negated_score: float
    number: int
    choices: tuple[int, ...]

    @property
    def score(self) -> float:
        """The score; higher is better."""
        return -self.negated_score


class CostScale:
    """``count`` slices of equal width from ``low`` to ``high``, in the metric's unit; the last includes ``high``."""

    __slots__ = ("_top", "_width", "count", "high", "low")

    def __init__(self, low: float, high: float, count: int) -> None:
        self.low = low
        self.high = high
        self.count = count
        self._top = count - 1
        self._width = high - low

    def index(self, cost: float) -> int:
        """Return a cost's slice (equation 4), limited to 0..count-1; 0 if low equals high or the cost is unknown."""
        if self._width > 0 and cost > self.low:
            index = int((cost - self.low) / self._width * self.count)
            return index if index < self._top else self._top
        return 0

    def interval(self, index: int) -> tuple[float, float]:
        """Return the lower and upper cost of a slice."""
        step = (self.high - self.low) / self.count
        return self.low + index * step, self.high if index == self.count - 1 else self.low + (index + 1) * step


class Bucket:
    """The best ``capacity`` networks of one cost slice, best first, or all networks if there is no capacity.

    A network enters if there is room, or if its score is strictly above the worst score. Among equal scores the network
    with the larger number is worse.
    """

    __slots__ = ("capacity", "evicted", "floor", "inserted", "residents")

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.residents: list[Ranked] = []
        self.floor = -inf
        """The score that a new network must exceed: the worst score if the bucket is full, otherwise minus infinity."""
        self.inserted = 0
        self.evicted = 0

    def insert(self, network: Ranked) -> Ranked | None:
        """Insert a network whose score is above `floor`, and return the network that it evicted, if any."""
        residents = self.residents
        capacity = self.capacity
        loser = None
        self.inserted += 1
        if capacity is None:
            insort(residents, network)
            return None
        if len(residents) >= capacity:
            loser = residents.pop()
            self.evicted += 1
        insort(residents, network)
        if len(residents) == capacity:
            self.floor = -residents[-1][0]
        return loser

    def restore(self, network: Ranked) -> None:
        """Put back a network of a saved bucket, without counting it as inserted."""
        residents = self.residents
        insort(residents, network)
        if self.capacity is not None and len(residents) >= self.capacity:
            self.floor = -residents[-1][0]
