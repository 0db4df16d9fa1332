"""Candidates over the API: pages that lose and double nothing, filters, the full view, lineage."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from searches.models import Candidate, MoteScore
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
SCORES = st.lists(st.none() | st.sampled_from([0.0, -1.5, 0.1 + 0.2, 1e-300]) | st.floats(-10, 10), max_size=25)


def read(client: APIClient, url: str | None, link: str = "next") -> list[dict[str, Any]]:
    """Return all rows, following ``link``."""
    rows: list[dict[str, Any]] = []
    while url:
        reply = client.get(url)
        assert reply.status_code == 200, reply.content
        rows += reply.json()["results"]
        url = reply.json()[link]
    return rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=SCORES, size=st.integers(1, 7), ordering=st.sampled_from(["score", "-score", "number", "-number"]))
def test_pages_lose_and_double_nothing(scores: list[float | None], size: int, ordering: str) -> None:
    owner = make_user()
    search = make_search(owner)
    made = make_candidates(search, [{"score": score} for score in scores])
    url = f"{API}searches/{search.pk}/candidates/?ordering={ordering}&page_size={size}"
    rows = read(client_of(owner), url)
    assert sorted(row["number"] for row in rows) == [candidate.number for candidate in made]
    column = ordering.removeprefix("-")
    values = [row[column] for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=ordering.startswith("-"))
    assert values[: len(known)] == known
    search.delete()


@pytest.mark.parametrize("ordering", ["score", "-score"])
def test_previous_leads_back_through_the_same_rows(ordering: str) -> None:
    owner = make_user()
    search = make_search(owner)
    make_candidates(search, [{"score": score} for score in (1.0, None, 2.0, 2.0, None, 0.5, None, 2.0, 3.0)])
    client = client_of(owner)
    url = f"{API}searches/{search.pk}/candidates/?ordering={ordering}&page_size=2"
    pages = []
    while url:
        body = client.get(url).json()
        pages.append(body)
        url = body["next"]
    assert pages[0]["previous"] is None
    for before, after in pairwise(pages):
        assert client.get(after["previous"]).json()["results"] == before["results"]
    first = client.get(pages[1]["previous"]).json()
    assert first["previous"] is None
    assert client.get(first["next"]).json()["results"] == pages[1]["results"]


def test_rows_added_while_reading_double_nothing() -> None:
    owner = make_user()
    search = make_search(owner)
    make_candidates(search, [{"score": float(i)} for i in range(4)])
    client = client_of(owner)
    first = client.get(f"{API}searches/{search.pk}/candidates/?ordering=-score&page_size=2").json()
    make_candidates(search, [{"score": 99.0}, {"score": 0.5}])
    rest = read(client, first["next"])
    assert [row["number"] for row in first["results"] + rest] == [3, 2, 1, 5, 0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ordering=secret", "ordering"),
        ("page_size=0", "page_size"),
        ("page_size=many", "page_size"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WyJudW1iZXIiLCAieCIsIDEsIGZhbHNlXQ==", "cursor"),
        ("score_min=much", "score_min"),
        ("status=asleep", "status"),
    ],
)
def test_faulty_parameters_are_named(query: str, field: str) -> None:
    owner = make_user()
    search = make_search(owner)
    reply = client_of(owner).get(f"{API}searches/{search.pk}/candidates/?{query}")
    assert reply.status_code == 400
    assert [error["field"].split(".")[0] for error in reply.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=scored", [0, 1, 2]),
        ("status=failed,proposed", [3, 4]),
        ("feasible=true", [0, 2, 3, 4]),
        ("feasible=1", [0, 2, 3, 4]),
        ("origin=carry", [2]),
        ("layer=1", [1]),
        ("search=16:8", [1]),
        ("score_min=2&score_max=2.5", [1]),
        ("madds_m_max=3", [0]),
        ("status=scored&feasible=false", [1]),
    ],
)
def test_filters(query: str, numbers: list[int]) -> None:
    owner = make_user()
    search = make_search(owner)
    rows: list[dict[str, Any]] = [
        {"score": 1.0, "madds_m": 3.0},
        {"score": 2.0, "feasible": False, "layer": 1},
        {"score": 3.0, "origin": "carry"},
        {"status": Candidate.Status.FAILED, "error": "did not converge"},
        {},
    ]
    make_candidates(search, rows)
    reply = client_of(owner).get(f"{API}searches/{search.pk}/candidates/?{query}")
    assert [row["number"] for row in reply.json()["results"]] == numbers


def test_a_full_page_takes_few_queries_and_no_curves() -> None:
    owner = make_user()
    search = make_search(owner)
    make_candidates(search, [{"score": float(i)} for i in range(60)])
    client = client_of(owner)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{API}searches/{search.pk}/candidates/?ordering=-score&page_size=50")
    assert len(queries) == 4
    assert not any("curves" in query["sql"] for query in queries)


def test_the_full_view() -> None:
    owner = make_user()
    search = make_search(owner)
    grand, parent, child = make_candidates(
        search,
        [
            {"score": 1.0, "layer": 0},
            {"score": 2.0, "layer": 1, "parent_number": 0},
            {"score": 3.0, "layer": 2, "parent_number": 1, "madds_m": 4.5, "choices": [0, 1, 2, 3, 7]},
        ],
    )
    MoteScore.objects.create(
        evaluation=child.evaluation,
        landscape=0.5,
        speed=2.0,
        time_seconds=1.0,
        train_seconds=3.0,
        profile="fast",
        time_model="deterministic",
        epoch_losses=[2.0, 1.0],
        landscape_losses=[2.0, 1.5],
    )
    client = client_of(owner)
    with CaptureQueriesContext(connection) as queries:
        body = client.get(f"{API}candidates/{child.pk}/").json()
    assert len(queries) == 5  # including those for the present constants and for random networks
    assert [row["id"] for row in body["lineage"]] == [child.pk, parent.pk, grand.pk]
    assert body["costs"] == {
        "params_m": None,
        "madds_m": 4.5,
        "activation_mb": None,
        "peak_memory_mb": None,
        "table_cost": None,
        "latency_ms": None,
    }
    assert body["curves"] == {"epoch_losses": [2.0, 1.0], "landscape_losses": [2.0, 1.5]}
    assert body["mote"]["landscape"] == 0.5
    assert len(body["labels"]) == 5
    assert body["search"] == search.pk
    assert body["downloads"]["onnx"].endswith(f"/api/v1/candidates/{child.pk}/download/?format=onnx")
    assert body["drawing"].endswith(f"/api/v1/candidates/{child.pk}/drawing.svg")


def test_numbers_that_json_does_not_know_become_null() -> None:
    owner = make_user()
    search = make_search(owner)
    (candidate,) = make_candidates(search, [{"score": float("inf")}])
    reply = client_of(owner).get(f"{API}candidates/{candidate.pk}/")
    assert reply.json()["score"] is None
    assert b"Infinity" not in reply.content


def test_candidates_are_private() -> None:
    search = make_search(make_user())
    (candidate,) = make_candidates(search, [{"score": 1.0}])
    for path in ("", "drawing.svg", "download/?format=json"):
        assert_private(f"candidates/{candidate.pk}/{path}")
    assert_private(f"searches/{search.pk}/candidates/")


def test_an_unknown_download_format_is_named() -> None:
    owner = make_user()
    (candidate,) = make_candidates(make_search(owner), [{"score": 1.0}])
    reply = client_of(owner).get(f"{API}candidates/{candidate.pk}/download/?format=exe")
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["field"] == "format"
