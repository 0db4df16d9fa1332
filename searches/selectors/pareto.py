"""The front of a search: the best score for every cost."""

from __future__ import annotations

from typing import Any

from engine.pareto import front as front_indices
from searches.models import Candidate, Search


def front(search: Search, metric: str, feasible_only: bool = True) -> list[dict[str, Any]]:
    """Networks that no other of at most their cost equals or beats, by ascending cost; two queries."""
    scored = Candidate.objects.filter(search=search, status=Candidate.Status.SCORED, **{f"{metric}__isnull": False})
    if feasible_only:
        scored = scored.filter(feasible=True)
    rows = list(scored.order_by("number").values_list("id", "score", metric))
    best = [rows[i] for i in front_indices([row[2] for row in rows], [row[1] for row in rows])]
    shown = Candidate.objects.in_bulk([row[0] for row in best])
    return [
        {"id": pk, "number": shown[pk].number, "arch": shown[pk].arch, "score": score, "cost": cost}
        for pk, score, cost in best
    ]
