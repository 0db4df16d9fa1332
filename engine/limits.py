"""The limits that the costs of networks must meet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf

from engine.cost import COUNTS, MILLION

ALL_COUNTS = range(2**62)


class Limit:
    """The limits of one metric in its unit and, where it is a sum over nodes, also as whole counts.

    A network meets the limits exactly if ``bottom <= count <= top``: rounding to the unit never changes the order of
    two counts. ``count`` is the metric's place in `engine.cost.Counts`.
    """

    __slots__ = ("bottom", "count", "hi", "lo", "metric", "top")

    def __init__(self, metric: str, lo: float | None, hi: float | None) -> None:
        self.metric = metric
        self.lo = -inf if lo is None else lo
        self.hi = inf if hi is None else hi
        self.count = 0
        self.bottom = 0
        self.top = ALL_COUNTS[-1]
        if metric in COUNTS:
            self.count, weight = COUNTS[metric]
            self.bottom = bisect_left(ALL_COUNTS, self.lo, key=lambda count: count * weight / MILLION)
            self.top = bisect_right(ALL_COUNTS, self.hi, key=lambda count: count * weight / MILLION) - 1

    def meets(self, low: float, high: float) -> bool:
        """Return whether an interval of costs shares a point with the limits; an unknown one (NaN) never does."""
        return low <= self.hi and high >= self.lo
