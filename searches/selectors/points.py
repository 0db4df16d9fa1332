"""The values of scored and failed candidates as columns: all of them, or a few for the tooltip of a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.metrics import METRICS
from searches.models import Candidate, Search

COLUMNS = ("id", "number", "feasible", "layer", *METRICS)
LIMIT = 100_000
FINISHED = (Candidate.Status.SCORED, Candidate.Status.FAILED)


def after(search: Search, number: int = -1, limit: int = LIMIT) -> dict[str, Any]:
    """Return columns of the finished candidates numbered above ``number``.

    ``last`` is the last number in the answer, or ``number`` itself if the answer is empty. ``more`` says whether others
    follow.
    """
    rows = _rows(search, limit + 1, number__gt=number)
    page = rows[:limit]
    last = page[-1][1] if page else number
    return {"columns": _columns(page), "last": last, "more": len(rows) > limit}


def numbered(search: Search, numbers: Sequence[int]) -> dict[str, Any]:
    """Return columns of the finished ones among these candidates."""
    rows = _rows(search, LIMIT, number__in=numbers)
    return {"columns": _columns(rows), "last": max(numbers, default=-1), "more": False}


def _rows(search: Search, limit: int, **where: Any) -> list[tuple[Any, ...]]:
    finished = Candidate.objects.networks().filter(search=search, status__in=FINISHED, **where)
    return list(finished.order_by("number").values_list(*COLUMNS)[:limit])


def _columns(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    if not rows:
        return {name: [] for name in COLUMNS}
    return {name: list(column) for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
