"""A search that ends without a network within its limits says so, and names the one that comes closest."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from searches import events
from searches.models import Search
from searches.selectors.nearest import nearest
from tests.searches.factories import CONFIG, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
OVER = {"score": 0.5, "feasible": False}


def ended(limits: dict[str, Any], rows: list[dict[str, Any]], **fields: Any) -> Search:
    """A finished search with these limits and candidates."""
    config = {**CONFIG, "objective": {"cost_metric": "madds_m", **limits}}
    search = make_search(make_user(), config=config, status=Search.Status.FINISHED, scored=len(rows), **fields)
    candidates = make_candidates(search, rows)
    events.record(search, [events.candidates([candidate.number for candidate in candidates])])
    return search


def test_the_least_excess_over_an_upper_limit_comes_closest() -> None:
    search = ended({"hi": 20.0}, [{**OVER, "madds_m": cost} for cost in (41.0, 24.1, 24.1, 33.0)])
    found = nearest(search)
    assert found is not None
    assert (found["number"], found["metric"], found["cost"], found["limit"]) == (1, "madds_m", 24.1, 20.0)
    assert found["excess"] == pytest.approx(0.205)
    assert found["words"] == (
        "No network within the limits was found. Candidate 1 comes closest: multiply-adds 24.1M, 20.5% above the limit "
        "of 20M."
    )


def test_of_several_limits_the_one_that_is_broken_most_counts() -> None:
    rows = [{**OVER, "madds_m": 10.0, "params_m": 9.0}, {**OVER, "madds_m": 30.0, "params_m": 1.0}]
    search = ended({"hi": 20.0, "constraints": [{"metric": "params_m", "hi": 2.0}]}, rows)
    found = nearest(search)
    assert found is not None
    assert (found["number"], found["metric"], found["limit"]) == (1, "madds_m", 20.0)


def test_a_lower_limit_is_missed_from_below() -> None:
    found = nearest(ended({"lo": 50.0}, [{**OVER, "madds_m": 40.0}]))
    assert found is not None
    assert found["words"].endswith("multiply-adds 40M, 20.0% below the limit of 50M.")


def test_nothing_is_said_of_active_searches_and_of_those_with_a_result() -> None:
    rows = [{**OVER, "madds_m": 40.0}]
    active = ended({"hi": 20.0}, rows)
    active.status = Search.Status.RUNNING
    assert nearest(active) is None
    assert nearest(ended({"hi": 20.0}, rows, feasible=1)) is None
    assert nearest(ended({"hi": 20.0}, [])) is None
    assert nearest(ended({"hi": 20.0}, [OVER])) is None  # its cost is unknown


def test_nothing_is_said_without_limits() -> None:
    assert nearest(ended({}, [{**OVER, "madds_m": 40.0}])) is None


def test_the_api_gives_it_with_the_search(client: Client) -> None:
    search = ended({"hi": 20.0}, [{**OVER, "madds_m": 40.0}])
    client.force_login(search.owner)
    answer = client.get(f"/api/v1/searches/{search.pk}/").json()
    assert (answer["status"], answer["nearest"]["number"], answer["nearest"]["limit"]) == ("finished", 0, 20.0)
