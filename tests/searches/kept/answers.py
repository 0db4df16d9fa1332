"""What a build shows for the kept database, and the end of its paused search, as JSON-ready values.

`make.py` runs this with the build that made the database, the test runs it with the present one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rest_framework.test import APIClient

from searches.models import Bucket, Candidate, Search, Study, Table, Training

API = "/api/v1/"
CANDIDATE = ("number", "round", "stage", "choices", "arch", "origin", "layer", "bucket", "parent_number", "status")
SCORED = ("score", "final_score", "truth", "feasible", "params_m", "madds_m", "activation_mb", "table_cost")
BUCKET = ("layer", "index", "low", "high", "residents", "inserted", "evicted")
LEAST_DETAILS = 3


def client(owner: Any) -> APIClient:
    """Return a client signed in as the owner of the kept searches."""
    signed_in = APIClient()
    signed_in.force_authenticate(owner)
    return signed_in


def addresses() -> Iterator[str]:
    """Yield the addresses below ``/api/v1/`` whose answers are kept."""
    for name in ("searches", "trainings", "studies", "spaces", "tables", "datasets", "latency-tables"):
        yield f"{name}/?page_size=500"
    for search in Search.objects.order_by("id"):
        own = f"searches/{search.pk}/"
        yield own
        yield f"{own}candidates/?page_size=500"
        yield f"{own}candidates/?page_size=5&ordering=-score"
        for part in ("points", "buckets", "pareto", "history", "budget", "events", "trust", "trained"):
            yield f"{own}{part}/"
        yield f"{own}pareto/?metric=activation_mb&feasible=0"
        yield f"{own}buckets/?upto=12"
        numbers = search.candidates.order_by("number").values_list("pk", flat=True)
        yield from (f"candidates/{pk}/" for pk in sorted({*numbers[:LEAST_DETAILS], search.best_id} - {None}))
    for search in Search.objects.filter(study=None).exclude(best=None).order_by("id"):
        other = search.candidates.networks().exclude(pk=search.best_id).earliest("number")
        yield f"candidates/{search.best_id}/difference/?against={other.pk}"
    yield "comparisons/?searches=" + ",".join(str(pk) for pk in Search.objects.values_list("pk", flat=True))
    yield from (f"trainings/{pk}/" for pk in Training.objects.order_by("id").values_list("pk", flat=True))
    for pk in Study.objects.values_list("pk", flat=True):
        yield f"studies/{pk}/"
        yield f"studies/{pk}/results/"
        yield f"searches/?page_size=500&study={pk}"
    for pk in Table.objects.values_list("pk", flat=True):
        yield f"tables/{pk}/"
        yield f"tables/{pk}/inspection/"


def shown() -> dict[str, Any]:
    """Return every answer by its address."""
    signed_in = client(Search.objects.earliest("id").owner)
    answers = {}
    for address in addresses():
        answer = signed_in.get(API + address)
        assert answer.status_code == 200, f"{address}: {answer.content!r}"
        answers[address] = json.loads(answer.content)
    return answers


def end(search: Search) -> dict[str, Any]:
    """Return all that must be the same whoever finishes the search: its candidates, its buckets and its best."""
    search.refresh_from_db()
    candidates = Candidate.objects.filter(search=search).order_by("number")
    assert search.best is not None
    found = {
        "status": search.status,
        "best": search.best.number,
        "counts": [search.asked, search.scored, search.finals, search.failed, search.feasible, search.rounds],
        "candidates": [list(row) for row in candidates.values_list(*CANDIDATE, *SCORED)],
        "buckets": [list(row) for row in Bucket.objects.filter(search=search).values_list(*BUCKET)],
    }
    return json.loads(json.dumps(found))
