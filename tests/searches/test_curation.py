"""Pins, notes, tags and names: private to the owner, followed by open pages, never read by a search."""

from __future__ import annotations

from typing import Any

import pytest

from searches.models import Candidate, Event, Search
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate() -> Candidate:
    return make_candidates(make_search(make_user()), [{"score": 1.0}, {"score": 2.0}])[0]


def patch(candidate: Candidate, status: int = 200, **body: Any) -> dict[str, Any]:
    reply = client_of(candidate.search.owner).patch(f"{API}candidates/{candidate.pk}/", body, format="json")
    assert reply.status_code == status, reply.content
    return reply.json()


def listed(search: Search, **filters: Any) -> list[int]:
    reply = client_of(search.owner).get(f"{API}searches/{search.pk}/candidates/", filters)
    return [row["number"] for row in reply.json()["results"]]


def test_marks_stay_and_lists_are_narrowed_by_them(candidate: Candidate) -> None:
    body = patch(candidate, pinned=True, tags=["promising", "small", "small"], note="**Good** at 20M")
    assert (body["pinned"], body["hidden"], body["tags"]) == (True, False, ["promising", "small"])
    assert body["note_html"] == "<p><strong>Good</strong> at 20M</p>\n"
    body = patch(candidate, hidden=True, tags=["small", "odd"])
    assert (body["pinned"], body["hidden"], body["tags"]) == (True, True, ["odd", "small"])
    assert body["note"] == "**Good** at 20M"
    search = candidate.search
    assert listed(search, pinned=True) == listed(search, tag="odd") == [0]
    assert listed(search, hidden=False) == [1]
    assert listed(search, tag="promising") == []


def test_open_pages_hear_of_marks(candidate: Candidate) -> None:
    patch(candidate, hidden=True)
    event = Event.objects.get(search=candidate.search)
    assert (event.kind, event.payload) == ("candidates", {"numbers": [0]})


def test_notes_carry_no_markup_of_their_own(candidate: Candidate) -> None:
    note = "<script>alert(1)</script> [x](javascript:alert(1)) ![y](http://e.org/p.png)"
    html = patch(candidate, note=note)["note_html"]
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html


def test_hidden_candidates_are_left_out_of_plots_and_fronts(candidate: Candidate) -> None:
    search = candidate.search
    Candidate.objects.filter(search=search).update(madds_m=1.0)
    best = search.candidates.get(number=1)
    client = client_of(search.owner)
    front = f"{API}searches/{search.pk}/pareto/"
    assert [point["number"] for point in client.get(front).json()["front"]] == [1]
    patch(best, hidden=True)
    assert [point["number"] for point in client.get(front).json()["front"]] == [0]
    [compared] = client.get(f"{API}comparisons/", {"searches": search.pk}).json()["searches"]
    assert [point["id"] for point in compared["front"]] == [candidate.pk]
    patch(best, hidden=False)
    assert [point["number"] for point in client.get(front).json()["front"]] == [1]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"note": "x" * 10_001}, "note", "Give at most 10000 characters."),
        ({"tags": ["a,b"]}, "tags.0", "A tag is a word or some words without a comma."),
        ({"tags": [str(i) for i in range(21)]}, "tags", "Give at most 20 entries."),
        ({"pinned": "maybe"}, "pinned", "Give true or false."),
    ],
)
def test_bad_marks_name_the_field(candidate: Candidate, body: dict[str, Any], field: str, words: str) -> None:
    assert patch(candidate, 400, **body)["errors"] == [{"field": field, "message": words}]


def test_marks_and_names_are_private(candidate: Candidate) -> None:
    assert_private(f"candidates/{candidate.pk}/", "patch", {"pinned": True})
    assert_private(f"searches/{candidate.search_id}/", "patch", {"name": "mine"})


def test_a_search_is_renamed_and_noted(candidate: Candidate) -> None:
    search = candidate.search
    body = {"name": "Second try", "note": "after the *first*"}
    reply = client_of(search.owner).patch(f"{API}searches/{search.pk}/", body, format="json")
    assert reply.status_code == 200, reply.content
    shown = reply.json()
    assert (shown["name"], shown["note_html"]) == ("Second try", "<p>after the <em>first</em></p>\n")
    assert shown["config"]["name"] == "digits"
    reply = client_of(search.owner).patch(f"{API}searches/{search.pk}/", {"name": ""}, format="json")
    assert reply.json()["errors"][0]["field"] == "name"
