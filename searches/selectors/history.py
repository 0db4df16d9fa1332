"""How a search came along: its improvements, and the spread of its scores, against trials and seconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from searches.models import Search
from searches.selectors import columns
from searches.selectors.columns import SCORED, Columns

PARTS = 80
"""Stretches of the search whose spread of scores is given."""
LEAST = 5
"""Scores that a stretch must have at least on average."""


def history(search: Search) -> dict[str, Any]:
    """Improvements of the best feasible score in the order of the numbers, and quantiles of what was tried meanwhile.

    ``trials`` counts scored candidates from 1; ``seconds`` adds up their seconds, in that order.
    """
    found = columns.of(search)
    return found.derived("history", lambda: _history(found))


def layers(search: Search) -> dict[int, int]:
    """Scored candidates a layer."""
    found = columns.of(search)
    return found.derived("layers", lambda: _layers(found))


def _history(found: Columns) -> dict[str, Any]:
    scored = np.flatnonzero(found["state"] == SCORED)
    score, feasible = found["score"][scored], found["feasible"][scored]
    seconds = np.cumsum(np.nan_to_num(found["seconds"][scored]))
    considered = np.where(feasible, score, -np.inf)
    best = np.maximum.accumulate(considered) if len(scored) else considered
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    rows = scored[steps]
    return {
        "steps": {
            "trials": (steps + 1).tolist(),
            "seconds": seconds[steps].tolist(),
            "number": rows.tolist(),
            "id": found["id"][rows].tolist(),
            "score": found["score"][rows].tolist(),
            "truth": [value if np.isfinite(value) else None for value in found["truth"][rows].tolist()],
        },
        "spread": _spread(score, feasible, seconds),
        "trials": len(scored),
        "seconds": float(seconds[-1]) if len(scored) else 0.0,
    }


def _spread(score: np.ndarray, feasible: np.ndarray, seconds: np.ndarray) -> dict[str, list[float]]:
    """10, 50 and 90 percent quantiles of the feasible scores of equally long stretches, each given at its end."""
    parts = min(PARTS, int(feasible.sum()) // LEAST)
    ends = np.linspace(0, len(score), parts + 1).round().astype(int)[1:] if parts > 1 else np.empty(0, dtype=int)
    spread: dict[str, list[float]] = {"trials": [], "seconds": [], "low": [], "middle": [], "high": []}
    start = 0
    for end in ends.tolist():
        part = score[start:end][feasible[start:end]]
        if len(part):
            low, middle, high = np.quantile(part, (0.1, 0.5, 0.9)).tolist()
            values = (end, float(seconds[end - 1]), low, middle, high)
            for name, value in zip(spread, values, strict=True):
                spread[name].append(value)
        start = end
    return spread


def _layers(found: Columns) -> dict[int, int]:
    layer = found["layer"][found["state"] == SCORED]
    numbers, counts = np.unique(layer[layer >= 0], return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
