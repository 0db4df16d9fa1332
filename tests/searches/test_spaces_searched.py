"""Searches of spaces whose options depend on earlier choices, through rows and the workers' code."""

from __future__ import annotations

from typing import Any

import pytest

from searches.models import Candidate, Search
from tests.searches.clients import API, client_of
from tests.searches.driving import drive, start, training_config
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "space",
    [
        {"kind": "nasbench101", "channels": 8, "cells": 1},
        {"kind": "darts", "cells": 3, "channels": 4},
        {"kind": "transnas_macro", "channels": 4},
    ],
)
def test_spaces_whose_options_depend_on_the_prefix_are_searched_with_mote(space: dict) -> None:
    """Options depend on earlier choices; the search goes through rows, rebuilds and MOTE."""
    estimator = {"kind": "mote", "profile": "fast"}
    search = drive(start(training_config(space=space, estimator=estimator, budget={"evaluations": 6}, round_size=3)))
    assert search.status == Search.Status.FINISHED
    candidates = list(search.candidates.order_by("number"))
    assert len(candidates) == 6
    assert all(candidate.status == Candidate.Status.SCORED for candidate in candidates)
    assert len({candidate.arch for candidate in candidates}) == 6
    assert all(candidate.madds_m and candidate.evaluation.mote.landscape > 0 for candidate in candidates)


def test_a_search_that_makes_no_sense_is_refused_at_its_field() -> None:
    client = client_of(make_user())
    config: dict[str, Any] = {
        "space": {"kind": "darts"},
        "dataset": {"kind": "digits"},
        "estimator": {"kind": "mote"},
        "algorithm": {"kind": "dynamic_programming", "bucketing": "unique"},
    }
    reply = client.post(f"{API}searches/", config, format="json")
    assert reply.status_code == 400
    told = str(reply.json()["errors"])
    assert "algorithm.bucketing" in told
    assert "all 1.08e+18 networks" in told
    config["algorithm"] = {"kind": "random"}
    config["space"] = {"kind": "mote_mobile"}
    reply = client.post(f"{API}searches/", config, format="json")
    assert reply.status_code == 400
    told = str(reply.json()["errors"])
    assert "dataset.resolution" in told
    assert "at least 17x17, not 8x8" in told
