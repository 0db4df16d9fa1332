"""Comparison of two candidates: API, drawing and page."""

from __future__ import annotations

import pytest
from django.test import Client

from searches.models import Candidate
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> list[Candidate]:
    rows = [
        {"score": 1.5, "choices": [7, 7, 7, 7, 7], "arch": "8:8:8:8:8", "madds_m": 2.0, "params_m": 0.5},
        {"score": 2.0, "choices": [7, 3, 7, 7, 0], "arch": "8:40:8:8:64", "madds_m": 3.5, "truth": 90.0},
    ]
    return make_candidates(make_search(make_user()), rows)


def test_layers_and_numbers_that_differ(pair: list[Candidate]) -> None:
    one, two = pair
    client = client_of(one.search.owner)
    found = client.get(f"{API}candidates/{two.pk}/difference/?against={one.pk}").json()
    assert found["changed"] == 2
    changed = [(row["layer"], row["own"], row["other"]) for row in found["layers"] if row["changed"]]
    assert changed == [(1, "40", "8"), (4, "64", "8")]
    assert found["costs"] == [{"name": "madds_m", "own": 3.5, "other": 2.0, "difference": 1.5}]
    assert [row["name"] for row in found["measures"]] == ["score"]
    svg = client.get(f"{API}candidates/{two.pk}/drawing.svg?against={one.pk}&theme=dark").content.decode()
    assert svg.count(">instead of 8<") == 2
    assert "prefers-color-scheme" not in svg
    assert "instead of" not in client.get(f"{API}candidates/{two.pk}/drawing.svg").content.decode()
    assert_private(f"candidates/{two.pk}/difference/?against={one.pk}")


def test_refusals_name_what_is_wrong(pair: list[Candidate]) -> None:
    one = pair[0]
    client = client_of(one.search.owner)
    unknown = client.get(f"{API}candidates/{one.pk}/difference/?against=99999")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (400, "against")
    (strange,) = make_candidates(make_search(make_user()), [{"score": 1.0}])
    assert client.get(f"{API}candidates/{one.pk}/difference/?against={strange.pk}").status_code == 400
    config = {**one.search.config, "space": {"kind": "nasbench201", "cells": 1}}
    cells = make_search(one.search.owner, config=config)
    (cell,) = make_candidates(cells, [{"score": 1.0, "choices": [0, 0, 0], "arch": "x"}])
    for path in (f"difference/?against={cell.pk}", f"drawing.svg?against={cell.pk}"):
        refused = client.get(f"{API}candidates/{one.pk}/{path}")
        assert refused.status_code == 409
        assert "is from another search space than candidate 0" in refused.json()["detail"]
    assert client.get(f"{API}candidates/{one.pk}/drawing.svg?theme=pink").json()["errors"][0]["field"] == "theme"


def test_the_page_is_found_by_the_other_s_number(pair: list[Candidate], client: Client) -> None:
    one, two = pair
    client.force_login(one.search.owner)
    reply = client.get(f"/candidates/{one.pk}/against/?number=1")
    assert reply.headers["Location"] == f"/candidates/{one.pk}/against/{two.pk}/"
    assert "Candidate 0 against candidate 1" in client.get(reply.headers["Location"]).content.decode()
    lost = client.get(f"/candidates/{one.pk}/against/?number=77", follow=True)
    assert "has no candidate 77" in lost.content.decode()
    client.force_login(make_user())
    assert client.get(f"/candidates/{one.pk}/against/{two.pk}/").status_code == 404
