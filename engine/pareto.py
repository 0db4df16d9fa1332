"""Pareto fronts of networks: the score is maximised, the cost minimised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")


class Point(NamedTuple, Generic[K]):
    """A network's cost and score; ``key`` names the network."""

    cost: float
    score: float
    key: K


class ParetoFront(Generic[K]):
    """The points that no other point beats, by rising cost and score, updated one point at a time.

    A point is beaten by another that costs no more, scores no less, and is better in one of the two. Of points that are
    equal in both, the first to arrive stays. Points with a cost or score of NaN never enter.
    """

    def __init__(self, points: Iterable[Point[K]] = ()) -> None:
        self._points: list[Point[K]] = []
        for point in points:
            self.add(point)

    @property
    def points(self) -> list[Point[K]]:
        """The front, cheapest first."""
        return list(self._points)

    def add(self, point: Point[K]) -> bool:
        """Add a point if none beats or equals it, and drop the points that it beats; return whether it was added."""
        if point.cost != point.cost or point.score != point.score:
            return False
        place = bisect_left(self._points, point.cost, key=lambda p: p.cost)
        rivals = self._points[max(0, place - 1) : place + 1]
        if any(rival.cost <= point.cost and rival.score >= point.score for rival in rivals):
            return False
        end = place
        while end < len(self._points) and self._points[end].score <= point.score:
            end += 1
        self._points[place:end] = [point]
        return True

    def hypervolume(self, cost: float, score: float) -> float:
        """Return the area that the front dominates up to a reference point: the largest cost and the least score."""
        area = 0.0
        floor = score
        for point in self._points:
            if point.cost < cost and point.score > floor:
                area += (cost - point.cost) * (point.score - floor)
                floor = point.score
        return area
