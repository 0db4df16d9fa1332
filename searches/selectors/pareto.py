"""The front of a search: the best score for every cost."""

from __future__ import annotations

from typing import Any

from engine.pareto import Point, pareto_front
from searches.models import Candidate, Search


def front(search: Search, metric: str, feasible_only: bool = True) -> list[dict[str, Any]]:
    """Networks that no other of at most their cost equals or beats, by ascending cost; two queries."""
    scored = Candidate.objects.networks().filter(search=search, status=Candidate.Status.SCORED)
    scored = scored.filter(**{f"{metric}__isnull": False})
    if feasible_only:
        scored = scored.filter(feasible=True)
    rows = scored.order_by("number").values_list(metric, "score", "id")
    points = pareto_front(Point(*row) for row in rows)
    shown = Candidate.objects.in_bulk([point.key for point in points])
    return [
        {
            "id": point.key,
            "number": shown[point.key].number,
            "arch": shown[point.key].arch,
            "score": point.score,
            "cost": point.cost,
        }
        for point in points
    ]
