"""The front of a search: the best score for every cost."""

from __future__ import annotations

from typing import Any

from searches.models import Candidate, Search
from searches.selectors import columns


def front(search: Search, metric: str, feasible_only: bool = True) -> list[dict[str, Any]]:
    """Return the front by ascending cost: the networks that score higher than all others of at most their cost.

    Of several networks with the same cost and score, the first is on the front.
    """
    found = columns.of(search)
    numbers = found.front(metric, "score", feasible_only)
    ids = found["id"][numbers].tolist()
    arch = dict(Candidate.objects.filter(pk__in=ids).values_list("pk", "arch"))
    rows = zip(ids, numbers.tolist(), found["score"][numbers].tolist(), found[metric][numbers].tolist(), strict=True)
    return [
        {"id": pk, "number": number, "arch": arch[pk], "score": score, "cost": cost}
        for pk, number, score, cost in rows
        if pk in arch
    ]
