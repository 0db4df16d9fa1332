"""Candidates of one owner, and the lineage of a candidate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from engine.metrics import COST_NAMES
from searches.models import Candidate, Search
from searches.selectors import calibrations

LINEAGE_LIMIT = 1_000
EXPORT_CHUNK = 2_000

_ANCESTORS = """
WITH RECURSIVE line(id, parent, depth) AS (
    SELECT id, parent_number, 0 FROM searches_candidate WHERE id = %s
    UNION ALL
    SELECT c.id, c.parent_number, line.depth + 1
    FROM line JOIN searches_candidate c ON c.search_id = %s AND c.number = line.parent
    WHERE line.depth < %s
)
SELECT c.id, c.number, c.arch, c.layer, c.score
FROM line JOIN searches_candidate c ON c.id = line.id ORDER BY line.depth
"""


def owned(owner: Any) -> QuerySet[Candidate]:
    """Return the owner's networks with their evaluations, without curves."""
    return _with_evaluation(Candidate.objects.networks().filter(search__owner=owner))


def with_evaluations() -> QuerySet[Candidate]:
    """Return all users' candidates with their evaluations, without curves; the caller must have checked the owner."""
    return _with_evaluation(Candidate.objects.all())


def of_search(search: Search) -> QuerySet[Candidate]:
    """Return all networks of a search with their evaluations, without curves."""
    return _with_evaluation(Candidate.objects.networks().filter(search=search))


def detailed(owner: Any) -> QuerySet[Candidate]:
    """Return the owner's candidates, including final estimates, with search, space, evaluation and MOTE score."""
    related = ("search", "search__space", "evaluation", "evaluation__mote")
    return Candidate.objects.filter(search__owner=owner).select_related(*related)


def lineage(candidate: Candidate) -> list[dict[str, Any]]:
    """Return the candidate, its parent, and so on back to the first layer, with one query."""
    rows = Candidate.objects.raw(_ANCESTORS, [candidate.pk, candidate.search_id, LINEAGE_LIMIT])
    return [{"number": r.number, "id": r.pk, "arch": r.arch, "layer": r.layer, "score": r.score} for r in rows]


def finals(candidate: Candidate) -> Sequence[Candidate]:
    """Return the final estimates of a network with their evaluations, oldest first.

    The database is queried only if the search has a final estimate.
    """
    if candidate.search.configuration.final is None:
        return []
    own = Candidate.objects.finals().filter(search=candidate.search_id, parent_number=candidate.number)
    return list(own.select_related("evaluation").defer("evaluation__curves").order_by("number"))


def document(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as lists and JSON files show it; `searches.api.serializers.candidates` declares the fields."""
    return {
        **{name: getattr(candidate, name) for name in ("id", "number", "round", "arch", "status", "feasible")},
        **{name: getattr(candidate, name) for name in ("score", "final_score", "valid_accuracy")},
        "test_accuracy": candidate.trained_test_accuracy,
        **{name: getattr(candidate, name) for name in ("truth", "trained_valid_accuracy", "trained_test_accuracy")},
        "costs": {name: getattr(candidate, name) for name in COST_NAMES},
        "terms": calibrations.terms(candidate),
        **{name: getattr(candidate, name) for name in ("seconds", "layer", "bucket")},
        "parent": candidate.parent_number,
        **{name: getattr(candidate, name) for name in ("origin", "from_cache", "error")},
        "worker": candidate.evaluation.worker,
        **{name: getattr(candidate, name) for name in ("pinned", "hidden")},
        "tags": [tag.name for tag in candidate.tags.all()],
        "note": candidate.note,
    }


def term_names(rows: QuerySet[Candidate]) -> list[str]:
    """Return the names of all terms of the candidates' scores, in alphabetical order."""
    terms = rows.order_by().prefetch_related(None).values_list("evaluation__terms", flat=True)
    return sorted({name for known in terms.iterator() for name in known})


def chunks(rows: QuerySet[Candidate]) -> Iterator[Sequence[Candidate]]:
    """Yield the candidates by number in parts of limited size, so that no query stays open while a client reads."""
    after = -1
    while part := list(rows.filter(number__gt=after).order_by("number")[:EXPORT_CHUNK]):
        yield part
        after = part[-1].number


def _with_evaluation(candidates: QuerySet[Candidate]) -> QuerySet[Candidate]:
    return (
        candidates.select_related("evaluation")
        .prefetch_related("tags")
        .defer("evaluation__curves", "evaluation__choices", "choices")
    )
