"""What the costs of networks must meet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf

from engine.cost import COUNTS, MILLION, Count

ALL_COUNTS = range(2**62)


class Limit:
    """Limits of one metric, in its unit; of a counted one also as whole counts, ``bottom <= count <= top``.

    Both say the same to the last bit: the unit's rounding never turns the order of two counts.
    """

    __slots__ = ("bottom", "count", "hi", "lo", "metric", "top")

    def __init__(self, metric: str, lo: float | None, hi: float | None) -> None:
        self.metric = metric
        self.lo = -inf if lo is None else lo
        self.hi = inf if hi is None else hi
        self.count: Count = 0
        self.bottom, self.top = 0, ALL_COUNTS[-1]
        if metric in COUNTS:
            self.count, scale = COUNTS[metric]
            self.bottom = bisect_left(ALL_COUNTS, self.lo, key=lambda count: count * scale / MILLION)
            self.top = bisect_right(ALL_COUNTS, self.hi, key=lambda count: count * scale / MILLION) - 1

    def meets(self, low: float, high: float) -> bool:
        """Whether an interval of costs shares a point with the limits; never, when it is unknown (NaN)."""
        return low <= self.hi and high >= self.lo
