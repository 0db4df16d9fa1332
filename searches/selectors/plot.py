"""The contents of a search's scatter plot: the whole front, isolated candidates one by one, and counts elsewhere.

Up to `EXACT` candidates in view are all given one by one. If there are more, the view is divided into cells. The last
`ALONE` candidates that are alone in their cell are given one by one, and so are the `LATEST` candidates if requested.
The others are given as a count per cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from searches.models import Search
from searches.selectors import columns, noise
from searches.selectors.columns import HIDDEN, NUMBERS, SCORED, Columns, front_of

EXACT = 2_500
LATEST = 100
ALONE = 1_500
Range = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """Axes, filters, the window ``(x0, x1, y0, y1)`` in view (None: everything) and its number of cells.

    If ``latest`` is true, the latest candidates are always given one by one. ``upto`` and ``layers`` restrict the plot
    to an earlier state of the search: to numbers below ``upto``, and to these layers and candidates without a layer.
    """

    x: str
    y: str
    infeasible: bool = False
    log_x: bool = False
    log_y: bool = False
    outliers: bool = False
    window: tuple[float, float, float, float] | None = None
    cells: tuple[int, int] = (120, 60)
    latest: bool = False
    upto: int | None = None
    layers: Sequence[int] | None = None


Payload = tuple[dict[str, Any], dict[str, np.ndarray]]


def plot(search: Search, look: Look) -> Payload:
    """Return the header with counts and ranges, and the arrays by name."""
    found = columns.of(search)
    numbers = _considered(found, look)
    feasible = found["feasible"][numbers]
    kept = numbers[feasible]
    refused = numbers[~feasible]
    shown = numbers if look.infeasible else kept
    front = _front(found, look, kept)
    x_range, x_outside = _range(found[look.x][shown], found[look.x][front], look.log_x, look.outliers)
    y_range, y_outside = _range(found[look.y][shown], found[look.y][front], look.log_y, look.outliers)
    x0, x1, y0, y1 = look.window or (*x_range, *y_range)
    a = found[look.x][shown]
    b = found[look.y][shown]
    seen = shown[(a >= x0) & (a <= x1) & (b >= y0) & (b <= y1)]
    points, cells = _bin(found, look, seen, (x0, x1), (y0, y1))
    tie = tie_of(search, look.y, found[look.y][front])
    ties = near_ties(found[look.y][front], tie["limit"])
    header = {
        "seq": found.seq,
        "size": found.size,
        "scored": int((found["state"] == SCORED).sum()),
        "feasible": len(kept),
        "infeasible": len(refused),
        "hidden": int((found["state"] == HIDDEN).sum()),
        "outside": int((x_outside | y_outside).sum()),
        "in_view": len(seen),
        "single": len(points),
        "ties": int(ties.sum()),
        "tie": tie,
        "x_range": x_range,
        "y_range": y_range,
        "view": [x0, x1, y0, y1],
        "cells": look.cells,
        "known": found.derived("known", lambda: _known(found)),
    }
    arrays = {f"front_{name}": values for name, values in _numbered(found, look, front).items()}
    arrays |= {f"point_{name}": values for name, values in _numbered(found, look, points).items()}
    arrays["front_tie"] = ties.astype(np.uint8)
    arrays["point_feasible"] = found["feasible"][points].astype(np.uint8)
    return header, arrays | cells


def tie_of(search: Search, value: str, values: np.ndarray) -> dict[str, Any]:
    """Return the limit of near ties among a front's values: ``limit`` in their unit, ``noise`` or None, and words."""
    known = noise.of(search, value)
    return {
        "limit": noise.limit_of(known, values),
        "noise": None if known is None else known.deviation,
        "words": noise.words(known),
    }


def near_ties(values: np.ndarray, limit: float) -> np.ndarray:
    """Return, for every front network, whether it is better than the one before it by at most the limit."""
    close = np.zeros(len(values), dtype=bool)
    close[1:] = np.abs(np.diff(values)) <= limit
    return close


def robust_range(values: np.ndarray, keep: np.ndarray) -> Range:
    """Return the interval without far outliers: three spreads around the middle half, plus all values of ``keep``."""
    if len(values) < 8:
        return float(values.min()), float(values.max())
    p5, p25, p75, p95 = np.quantile(values, (0.05, 0.25, 0.75, 0.95))
    spread = max(p75 - p25, (p95 - p5) / 3, 1e-12)
    low = min(p25 - 3 * spread, *keep) if len(keep) else p25 - 3 * spread
    high = max(p75 + 3 * spread, *keep) if len(keep) else p75 + 3 * spread
    inside = values[(values >= low) & (values <= high)]
    return float(inside.min()), float(inside.max())


def _known(found: Columns) -> list[str]:
    """Return the columns in which at least one scored candidate has a value."""
    scored = found["state"] == SCORED
    return [name for name in NUMBERS if np.isfinite(found[name][scored]).any()]


def _considered(found: Columns, look: Look) -> np.ndarray:
    """Return the numbers of scored candidates with both values, restricted to the chosen state of the search."""
    a = found[look.x]
    b = found[look.y]
    usable = (found["state"] == SCORED) & np.isfinite(a) & np.isfinite(b)
    if look.log_x:
        usable &= a > 0
    if look.log_y:
        usable &= b > 0
    if look.layers is not None:
        usable &= np.isin(found["layer"], (-1, *look.layers))
    numbers = np.flatnonzero(usable)
    return numbers if look.upto is None else numbers[numbers < look.upto]


def _front(found: Columns, look: Look, kept: np.ndarray) -> np.ndarray:
    whole = look.upto is None and look.layers is None and not look.log_x and not look.log_y
    return found.front(look.x, look.y) if whole else front_of(found, kept, look.x, look.y, True)


def _range(values: np.ndarray, keep: np.ndarray, log: bool, outliers: bool) -> tuple[Range, np.ndarray]:
    """Return the axis with a margin, and a mask of the values beyond it."""
    if not len(values):
        return ((1.0, 10.0) if log else (0.0, 1.0)), np.zeros(0, dtype=bool)
    scaled, kept = (np.log10(values), np.log10(keep)) if log else (values, keep)
    low, high = (float(scaled.min()), float(scaled.max())) if outliers else robust_range(scaled, kept)
    beyond = (scaled < low) | (scaled > high)
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 0.5
    low = low - margin
    high = high + margin
    return ((10**low, 10**high) if log else (low, high)), beyond


def _bin(
    found: Columns, look: Look, seen: np.ndarray, x_range: Range, y_range: Range
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the numbers given one by one, and the counts of the other candidates by cell.

    Cells are numbered row by row from below.
    """
    nothing = np.empty(0, dtype=np.uint32)
    empty = {f"{kind}_{part}": nothing for kind in ("cell", "refused") for part in ("index", "count")}
    if len(seen) <= EXACT:
        return seen, empty
    width, height = look.cells
    across = _place(found[look.x][seen], x_range, look.log_x, width)
    up = _place(found[look.y][seen], y_range, look.log_y, height)
    index = up * width + across
    feasible = found["feasible"][seen]
    counts = np.bincount(index, minlength=width * height)
    alone = np.flatnonzero(counts[index] == 1)[-ALONE:]
    latest = np.flatnonzero(np.isin(seen, found.recent[-LATEST:])) if look.latest else alone[:0]
    single = np.zeros(len(seen), dtype=bool)
    single[alone] = single[latest] = True
    cells = {}
    for kind, chosen in (("cell", feasible & ~single), ("refused", ~feasible & ~single)):
        counts = np.bincount(index[chosen], minlength=width * height)
        filled = np.flatnonzero(counts)
        cells[f"{kind}_index"] = filled.astype(np.uint32)
        cells[f"{kind}_count"] = counts[filled].astype(np.uint32)
    return seen[single], cells


def _place(values: np.ndarray, span: Range, log: bool, cells: int) -> np.ndarray:
    low, high = span
    if log:
        values = np.log10(values)
        low = np.log10(low)
        high = np.log10(high)
    share = (values - low) / (high - low) if high > low else np.zeros(len(values))
    return np.clip((share * cells).astype(np.int64), 0, cells - 1)


def _numbered(found: Columns, look: Look, numbers: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "number": numbers.astype(np.uint32),
        "id": found["id"][numbers].astype(np.float64),
        "x": found[look.x][numbers],
        "y": found[look.y][numbers],
    }
