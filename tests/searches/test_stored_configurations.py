"""Rows give their documents as options, older documents too."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from engine.config.algorithms import LayerNASOptions
from engine.config.datasets import DigitsOptions
from searches.models import Search
from tests.searches.factories import make_search, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def search() -> Search:
    """Return a search as an older version stored it: without what came later, and over a limit that came later."""
    search = make_search(make_user())
    document = {name: part for name, part in search.config.items() if name not in ("final", "algorithm")}
    document["objective"] = {"cost_metric": "madds_m", "hi": 30.0}
    document["dataset"] = document["dataset"] | {"valid_share": 0.95}
    Search.objects.filter(pk=search.pk).update(config=document)
    return Search.objects.get(pk=search.pk)


def test_an_older_document_is_read_with_todays_defaults(search: Search) -> None:
    found = search.configuration
    assert (found.final, found.objective.size_exponent, found.objective.hi) == (None, 0.0, 30.0)
    assert isinstance(found.algorithm, LayerNASOptions)
    assert isinstance(found.dataset, DigitsOptions)
    assert found.dataset.valid_share == 0.95


def test_the_api_shows_what_the_search_runs_with(search: Search) -> None:
    client = APIClient()
    client.force_authenticate(search.owner)
    body = client.get(f"/api/v1/searches/{search.pk}/").json()
    assert body["algorithm"] == "layernas"
    assert body["config"]["objective"]["hi"] == 30.0
    assert body["config"]["final"] is None
    assert body["config"]["algorithm"]["kind"] == "layernas"


def test_a_row_reads_its_document_once_and_another_one_again(search: Search) -> None:
    first = search.configuration
    assert search.configuration is first
    search.config = search.config | {"seed": 5}
    assert search.configuration.seed == 5
    search.refresh_from_db()
    assert search.configuration == first
