"""A search whose evaluations all fail: what its user sees."""

from __future__ import annotations

from typing import Any

import pytest

from engine.estimate import Estimate
from searches.models import Evaluation, Search
from searches.services import advancing, recording
from tests.searches.clients import API, client_of
from tests.searches.driving import start, training_config, waiting
from tests.searches.test_rounds import ALGORITHMS

pytestmark = pytest.mark.django_db

ERROR = "the loss is not a number after 3 steps"
ENDS_EARLY = ("layernas",)
"""Algorithms that have nothing to go on from; the others try other networks until the budget is spent."""


def fail_everything(search: Search) -> Search:
    for _ in range(100):
        advancing.advance(search.pk)
        search.refresh_from_db()
        if not search.is_active:
            return search
        for pk in waiting(search):
            Evaluation.objects.filter(pk=pk).update(status="leased", attempts=1)
            assert recording.record(pk, 1, Estimate(None, error=ERROR, seconds=2.0))
    raise AssertionError("the search does not come to rest")


@pytest.mark.parametrize("finalists", [0, 3])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_whose_evaluations_all_fail_says_so(algorithm: str, finalists: int) -> None:
    estimator = {"kind": "short_training", "epochs": 1, "batch_size": 256, "seed": 7}
    final: dict[str, Any] | None = {"estimator": estimator, "count": finalists} if finalists else None
    config = training_config(algorithm=ALGORITHMS[algorithm], budget={"evaluations": 16}, final=final)
    search = fail_everything(start(config))
    tried = search.candidates.count()
    most = 16 - finalists
    if algorithm == "guided" and finalists:
        most = ALGORITHMS["guided"]["pool"]  # scouts need a finalist
    assert 0 < tried < most if algorithm in ENDS_EARLY else tried == most

    assert (search.status, search.best) == (Search.Status.FAILED, None)
    assert search.status_reason == f"all {tried} networks failed; the last one: {ERROR}"
    counters = (search.asked, search.scored, search.finals, search.failed, search.feasible, search.from_cache)
    assert counters == (tried, 0, 0, tried, 0, 0)
    assert search.charged_seconds == 2.0 * tried

    rows = list(search.candidates.order_by("number"))
    assert [row.number for row in rows] == list(range(tried))
    assert {(row.stage, row.status, row.score, row.error) for row in rows} == {(0, "failed", None, ERROR)}
    assert search.rounds == rows[-1].round + 1, "every round is told"
    failures = search.events.filter(kind="error")
    assert {event.payload["candidate"] for event in failures} == set(range(tried))
    last = search.events.filter(kind="status").order_by("seq").last()
    assert (last.payload["status"], last.payload["reason"]) == ("failed", search.status_reason)

    client = client_of(search.owner)
    shown = client.get(f"{API}searches/{search.pk}/").json()
    assert (shown["status"], shown["status_reason"], shown["best"]) == ("failed", search.status_reason, None)
    assert {failure["error"] for failure in shown["failures"]} == {ERROR}
    assert "retry" in shown["actions"]
    listed = client.get(f"{API}searches/{search.pk}/candidates/?page_size=100").json()["results"]
    assert sorted(row["number"] for row in listed) == list(range(tried))
    led = client.get(f"{API}searches/{search.pk}/history/").json()
    assert (led["steps"]["number"], led["trials"]) == ([], 0)
