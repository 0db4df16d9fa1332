"""Plots computed on the server: cached columns follow the events, cells count all points, fronts equal brute force."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from searches import events
from searches.models import Candidate, Search
from searches.selectors import budget, columns, history, noise, plot
from searches.selectors.columns import SCORED, better_less
from searches.selectors.plot import Look
from tests.searches.clients import client_of
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
MANY = 4_000


@pytest.fixture
def search() -> Search:
    return make_search(make_user())


def fill(search: Search, count: int, seed: int = 0, **fields: Any) -> list[Candidate]:
    """Add scored candidates with random costs and scores, and their event."""
    rng = np.random.default_rng(seed)
    places = zip(rng.normal(size=count), rng.lognormal(size=count), rng.random(count) < 0.8, strict=True)
    rows = [
        {"score": s, "madds_m": c, "params_m": c / 3, "feasible": bool(f), "seconds": 2.0, "layer": i % 5, **fields}
        for i, (s, c, f) in enumerate(places)
    ]
    made = make_candidates(search, rows)
    events.record(search, [events.candidates([c.number for c in made])])
    return made


def brute_force(found: columns.Columns, x: str, y: str) -> list[int]:
    """Return the numbers of points that no other point equals or beats in both; the first among equals."""
    chosen = np.flatnonzero((found["state"] == SCORED) & found["feasible"])
    points = [(better_less(x) * found[x][n], better_less(y) * found[y][n], int(n)) for n in chosen]
    kept = [
        p for p in points if not any(q[0] <= p[0] and q[1] <= p[1] and (q[:2] != p[:2] or q[2] < p[2]) for q in points)
    ]
    return [n for _, _, n in sorted(kept, key=lambda p: found[x][p[2]])]


@pytest.mark.parametrize(
    ("x", "y"), [("madds_m", "score"), ("score", "madds_m"), ("madds_m", "params_m"), ("score", "score")]
)
def test_fronts_follow_what_comes(search: Search, x: str, y: str) -> None:
    for seed in range(4):
        fill(search, 40, seed)
        found = columns.of(search)
        assert found.front(x, y).tolist() == brute_force(found, x, y)


def test_only_what_changed_is_read_again(search: Search) -> None:
    made = fill(search, 30)
    first = columns.of(search)
    assert first.size == 30
    with CaptureQueriesContext(connection) as queries:
        assert columns.of(search) is first
    assert len(queries) == 0
    Candidate.objects.filter(pk=made[3].pk).update(score=99.0)
    Candidate.objects.filter(pk=made[4].pk).update(status=Candidate.Status.PROPOSED, score=None)
    assert columns.of(search)["score"][3] != 99.0
    events.record(search, [events.candidates([3, 4])])
    found = columns.of(search)
    assert (found["score"][3], found["state"][4]) == (99.0, columns.ABSENT)
    assert found.front("madds_m", "score").tolist() == brute_force(found, "madds_m", "score")


def test_another_epoch_is_read_anew(search: Search) -> None:
    fill(search, 5)
    first = columns.of(search)
    search.epoch += 1
    assert columns.of(search) is not first


@pytest.mark.parametrize("log", [False, True])
def test_every_candidate_in_view_is_drawn_or_counted(search: Search, log: bool) -> None:
    fill(search, MANY)
    found = columns.of(search)
    for look in (
        Look("madds_m", "score", log_x=log, outliers=True, cells=(20, 10)),
        Look("madds_m", "score", log_x=log, infeasible=True, outliers=True, cells=(50, 30), latest=True),
        Look("madds_m", "score", log_x=log, window=(0.5, 2.0, -1.0, 1.0), cells=(7, 3)),
    ):
        header, arrays = plot.plot(search, look)
        counted = int(arrays["cell_count"].sum() + arrays["refused_count"].sum())
        assert header["single"] + counted == header["in_view"]
        assert header["single"] == len(arrays["point_x"])
        x0, x1, y0, y1 = header["view"]
        inside = (found["madds_m"] >= x0) & (found["madds_m"] <= x1) & (found["score"] >= y0) & (found["score"] <= y1)
        considered = inside if look.infeasible else inside & found["feasible"]
        assert header["in_view"] == considered.sum()
        assert arrays["front_number"].tolist() == brute_force(found, "madds_m", "score")


def test_few_candidates_are_all_drawn_and_outliers_counted(search: Search) -> None:
    fill(search, 50)
    make_candidates(search, [{"score": -1e6, "madds_m": 1.0}])
    events.record(search, [events.candidates([50])])
    header, _ = plot.plot(search, Look("madds_m", "score"))
    assert header["outside"] >= 1
    assert header["y_range"][0] > -100
    everything, _ = plot.plot(search, Look("madds_m", "score", outliers=True))
    assert everything["y_range"][0] < -1e6
    assert everything["in_view"] == everything["single"] == everything["feasible"]


def test_replay_goes_back_by_number_and_by_layer(search: Search) -> None:
    fill(search, 60)
    found = columns.of(search)
    header, arrays = plot.plot(search, Look("madds_m", "score", upto=20, outliers=True))
    assert header["feasible"] == found["feasible"][:20].sum()
    assert arrays["front_number"].max() < 20
    header, arrays = plot.plot(search, Look("madds_m", "score", layers=(0, 1), outliers=True))
    assert set(found["layer"][arrays["point_number"]].tolist()) == {0, 1}


def test_near_ties() -> None:
    values = np.array([10.0, 10.05, 15.0, 20.0])
    assert plot.near_ties(values, noise.limit_of(None, values)).tolist() == [False, True, False, False]
    assert plot.near_ties(values, noise.limit_of(noise.Noise(1.9, 9, 2), values)).tolist() == [False, True, True, True]
    few = np.array([1.0, 1.0001])
    assert not plot.near_ties(few, noise.limit_of(None, few)).any()


def test_history_counts_trials_and_seconds(search: Search) -> None:
    make_candidates(
        search,
        [
            {"score": 1.0, "seconds": 2.0, "truth": 5.0},
            {"status": Candidate.Status.FAILED, "seconds": 9.0},
            {"score": 0.5, "seconds": 3.0},
            {"score": 9.0, "seconds": 1.0, "feasible": False},
            {"score": 2.0, "seconds": 4.0},
        ],
    )
    found = history.history(search)
    assert found["steps"]["trials"] == [1, 4]
    assert found["steps"]["seconds"] == [2.0, 10.0]
    assert found["steps"]["number"] == [0, 4]
    assert found["steps"]["truth"] == [5.0, None]
    assert (found["trials"], found["seconds"]) == (4, 10.0)


def test_the_spread_covers_the_whole_search(search: Search) -> None:
    fill(search, 200)
    spread = history.history(search)["spread"]
    assert spread["trials"][-1] == 200
    assert all(
        low <= middle <= high for low, middle, high in zip(spread["low"], spread["middle"], spread["high"], strict=True)
    )


def test_the_best_at_a_budget_and_its_neighbours(search: Search) -> None:
    rows = [(1.0, 10.0), (2.0, 20.0), (3.0, 15.0), (4.0, 30.0)]
    make_candidates(search, [{"madds_m": cost, "score": score} for cost, score in rows])
    found = budget.at(search, "madds_m", "score", 3.5)
    assert (found["best"]["number"], found["cheaper"]["number"], found["dearer"]["number"]) == (1, 0, 3)
    assert (found["low"], found["high"], found["within"]) == (1.0, 4.0, 3)
    assert found["best"]["differences"] == []
    assert [d["layer"] for d in found["dearer"]["differences"]] == ["cell 1"]
    assert found["dearer"]["differences"][0] == {"layer": "cell 1", "here": "56", "there": "40"}
    nothing = budget.at(search, "madds_m", "score", 0.5)
    assert (nothing["best"], nothing["dearer"]["number"], nothing["within"]) == (None, 0, 0)
    assert budget.at(search, "madds_m", "score", None)["best"]["number"] == 3


def test_the_searchs_best_is_named_beside_the_best_at_a_budget(search: Search) -> None:
    rows = [(9.0, 30.0), (2.0, 20.0), (3.0, 30.0)]
    dear, low, cheap = make_candidates(search, [{"madds_m": cost, "score": score} for cost, score in rows])

    def crowned(by: Candidate, cost: float | None) -> Any:
        search.best = by
        return budget.at(search, "madds_m", "score", cost)["crowned"]

    tied = {"id": dear.pk, "number": 0, "cost": 9.0, "by_finals": False}
    assert [crowned(dear, cost) for cost in (None, 9.0, 5.0)] == [tied, tied, None]
    assert (crowned(cheap, None), crowned(low, None)) == (None, None)
    low.final_score = 1.0
    assert crowned(low, 5.0) == {"id": low.pk, "number": 1, "cost": 2.0, "by_finals": True}
    assert crowned(low, 1.0) is None


def test_typed_columns_over_http(search: Search) -> None:
    fill(search, 100)
    client = client_of(search.owner)
    answer = client.get(f"/api/v1/searches/{search.pk}/plot/?x=params_m&cells=10,10", HTTP_ACCEPT_ENCODING="gzip")
    assert answer["Content-Encoding"] == "gzip"
    body = gzip.decompress(answer.content)
    length = int.from_bytes(body[:4], "little")
    header = json.loads(body[4 : 4 + length])
    assert (4 + length) % 8 == 0
    read = {}
    for name, kind, offset, size in header["arrays"]:
        assert offset % 8 == 0
        dtype = {"Float64": "<f8", "Uint32": "<u4", "Uint8": "u1"}[kind]
        read[name] = np.frombuffer(body, dtype, size, 4 + length + offset)
    assert len(read["point_x"]) == header["single"]
    found = columns.of(search)
    assert np.array_equal(read["point_x"], found["params_m"][read["point_number"]])
    plain = client.get(f"/api/v1/searches/{search.pk}/plot/?x=params_m&cells=10,10")
    assert not plain.has_header("Content-Encoding")


@pytest.mark.parametrize(
    ("query", "field"),
    [("plot/?x=beauty", "x"), ("plot/?window=1,2", "window"), ("plot/?upto=-1", "upto"), ("plot/?cells=a,b", "cells"),
     ("budget/?cost=inf", "cost"), ("budget/?metric=score", "metric"), ("events/?kinds=gossip", "kinds")],
)  # fmt: skip
def test_faulty_parameters_are_named(search: Search, query: str, field: str) -> None:
    answer = client_of(search.owner).get(f"/api/v1/searches/{search.pk}/{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_plots_of_others_are_not_found(search: Search) -> None:
    client = client_of(make_user())
    for name in ("plot", "history", "budget"):
        assert client.get(f"/api/v1/searches/{search.pk}/{name}/").status_code == 404


def test_an_empty_search_has_empty_plots(search: Search) -> None:
    header, arrays = plot.plot(search, Look("madds_m", "score"))
    assert header["scored"] == 0
    assert all(len(array) == 0 for array in arrays.values())
    assert budget.at(search, "madds_m", "score", None)["low"] is None
    assert history.history(search)["steps"]["trials"] == []
