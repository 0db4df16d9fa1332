"""The network that comes closest to the limits, for a search that ended without a network within them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.metrics import METRICS
from searches.models import Search
from searches.selectors import columns
from searches.selectors.columns import SCORED


def nearest(search: Search) -> dict[str, Any] | None:
    """Return the first scored network whose largest excess over a limit, as a share of that limit, is the least.

    Return None while the search is active, if it has no limits or a network within them, and if no scored network has
    known costs.
    """
    if search.is_active or search.feasible or not search.scored:
        return None
    found = columns.of(search)
    numbers = np.flatnonzero(found["state"] == SCORED)
    if not len(numbers):
        return None
    limits = [limit for limit in search.configuration.objective.limits if limit[1:] != (None, None)]
    if not limits:
        return None
    excess = np.stack([_excess(found[metric][numbers], lo, hi) for metric, lo, hi in limits])
    worst = np.nan_to_num(excess, nan=np.inf).max(axis=0)
    place = int(worst.argmin())
    if not np.isfinite(worst[place]):
        return None
    metric, lo, hi = limits[int(excess[:, place].argmax())]
    number = int(numbers[place])
    cost = float(found[metric][number])
    answer = {
        "id": int(found["id"][number]),
        "number": number,
        "metric": metric,
        "cost": cost,
        "limit": hi if hi is not None and cost > hi else lo,
        "excess": float(worst[place]),
    }
    return {**answer, "words": _in_words(answer)}


def _excess(costs: np.ndarray, lo: float | None, hi: float | None) -> np.ndarray:
    """Return by how much costs break a limit, as shares of the limit; 0 within it."""
    over = np.zeros(len(costs)) if hi is None else (costs - hi) / max(abs(hi), 1e-12)
    under = np.zeros(len(costs)) if lo is None else (lo - costs) / max(abs(lo), 1e-12)
    return np.maximum(0.0, np.maximum(over, under))


def _in_words(found: dict[str, Any]) -> str:
    """Return what the numbers say, in two sentences."""
    metric = METRICS[found["metric"]]
    unit = f" {metric.unit}" if metric.unit and metric.unit != "M" else metric.unit
    side = "above" if found["cost"] > found["limit"] else "below"
    return (
        f"No network within the limits was found. Candidate {found['number']} comes closest: {metric.label.lower()} "
        f"{found['cost']:.4g}{unit}, {found['excess']:.1%} {side} the limit of {found['limit']:g}{unit}."
    )
