"""Read-only queries: progress, lineage, chunks, fronts against brute force, the optimum of a table."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searches.models import Candidate, Search
from searches.selectors import candidates, pareto, points, searches, spaces, tables
from tests.searches.driving import chain_space, table_config, write_table
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
NETWORKS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), max_size=25)


@pytest.fixture
def search() -> Search:
    return make_search(make_user())


@pytest.mark.parametrize(
    ("fields", "bound", "share"),
    [
        ({"scored": 0}, 100, 0.0),
        ({"scored": 20, "failed": 5}, 100, 0.25),
        ({"scored": 20, "bound": "40"}, 40, 0.5),
        ({"scored": 20, "bound": "400000000000000000000"}, 100, 0.2),
        ({"scored": 50, "budget_evaluations": None, "bound": ""}, None, 0.0),
        ({"scored": 10, "budget_seconds": 100.0, "charged_seconds": 90.0}, 100, 0.9),
        ({"scored": 10, "budget_seconds": 100.0, "charged_seconds": 900.0}, 100, 1.0),
        ({"scored": 3, "status": "finished"}, 100, 1.0),
        ({"scored": 3, "status": "cancelled"}, 100, 0.03),
    ],
)
def test_progress(fields: dict[str, Any], bound: int | None, share: float) -> None:
    state = searches.progress(make_search(make_user(), **fields), rate=None)
    assert (state.bound, state.share) == (bound, pytest.approx(share))


def test_there_is_no_eta_without_a_rate_or_work_left(search: Search) -> None:
    search.scored = 50
    assert searches.progress(search, rate=10.0).eta == pytest.approx(300)
    assert searches.progress(search, rate=0.0).eta is None
    assert searches.progress(search, rate=None).eta is None
    search.status = Search.Status.PAUSED
    assert searches.progress(search, rate=10.0).eta is None


def test_the_rate_looks_at_the_last_minute_of_active_searches() -> None:
    owner = make_user()
    now = timezone.now()
    running = make_search(owner, started_at=now - timedelta(hours=1))
    young = make_search(owner, started_at=now - timedelta(seconds=30))
    paused = make_search(owner, status="paused")
    for search in (running, young, paused):
        make_candidates(search, [{"score": 1.0, "scored_at": now - timedelta(seconds=20)} for _ in range(4)])
        make_candidates(search, [{"score": 1.0, "scored_at": now - timedelta(seconds=90)} for _ in range(4)])
    with CaptureQueriesContext(connection) as queries:
        assert searches.rates([running, young, paused], now) == {running.pk: 4.0, young.pk: 8.0}
    assert len(queries) == 1


def test_lineage_ends_where_a_parent_is_missing_or_turns_in_a_ring(search: Search) -> None:
    orphan, first, second = make_candidates(search, [{"parent_number": 99}, {"parent_number": 2}, {"parent_number": 1}])
    other = make_candidates(make_search(make_user()), [{"parent_number": None}, {"parent_number": 0}])[1]
    assert [row["id"] for row in candidates.lineage(orphan)] == [orphan.pk]
    assert [row["number"] for row in candidates.lineage(other)] == [1, 0]
    ring = candidates.lineage(first)
    assert {row["id"] for row in ring} == {first.pk, second.pk}
    assert len(ring) == candidates.LINEAGE_LIMIT + 1


def test_chunks_are_bounded_and_complete(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    make_candidates(search, [{} for _ in range(7)])
    monkeypatch.setattr(candidates, "EXPORT_CHUNK", 3)
    parts = list(candidates.chunks(candidates.of_search(search)))
    assert [len(part) for part in parts] == [3, 3, 1]
    assert [row.number for part in parts for row in part] == list(range(7))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks=NETWORKS, feasible_only=st.booleans())
def test_the_front_is_what_brute_force_finds(networks: list[tuple[int, int, bool]], feasible_only: bool) -> None:
    search = make_search(make_user())
    rows = [
        {"params_m": float(cost), "score": float(score), "feasible": feasible} for cost, score, feasible in networks
    ]
    make_candidates(search, rows)
    considered = [row for row in rows if row["feasible"] or not feasible_only]
    best = {
        (row["params_m"], row["score"])
        for row in considered
        if not any(
            (other["params_m"] <= row["params_m"] and other["score"] > row["score"])
            or (other["params_m"] < row["params_m"] and other["score"] >= row["score"])
            for other in considered
        )
    }
    front = pareto.front(search, "params_m", feasible_only)
    assert [(point["cost"], point["score"]) for point in front] == sorted(best)
    search.delete()


def test_points_are_bounded(search: Search) -> None:
    make_candidates(search, [{"score": 1.0}, {"status": Candidate.Status.FAILED}, {"score": 2.0}])
    part = points.after(search, -1, limit=2)
    assert (part["last"], part["more"]) == (1, True)
    assert {len(column) for column in part["columns"].values()} == {2}


def test_the_space_is_that_of_the_search_s_images(search: Search) -> None:
    spec = spaces.of_search(search).spec
    assert (spec.channels, spec.height, spec.width, spec.classes) == (1, 8, 8, 10)
    search.data_info = {}
    assert spaces.of_search(search).spec.channels == 3


def test_the_optimum_of_a_table(tmp_path: Path) -> None:
    path = write_table(tmp_path)
    search = make_search(make_user(), config=table_config(path).as_dict())
    best = tables.optimum(search)
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    expected = max(rows, key=lambda row: float(row[2]))
    assert best == {"arch": expected[0], "truth": float(expected[2]), "limits": "none"}
    config = search.config
    search.config = config | {"estimator": config["estimator"] | {"truth": None}}
    assert tables.optimum(search) is None
    search.config = config
    path.unlink()
    assert tables.optimum(search) is None


def test_the_optimum_keeps_to_the_limits_of_counted_and_table_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_table(tmp_path)
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    with path.open("a") as file:
        file.write("stranger,99,99,5,1\n")
    estimator = table_config(path).as_dict()["estimator"] | {"cost": "cost"}
    space = chain_space()
    params = {row[0]: space.cost(space.from_string(row[0])).metric("params_m") for row in rows}
    middle = sorted(params.values())[40]

    def best(**limits: Any) -> dict[str, Any] | None:
        return tables.optimum(
            make_search(make_user(), config=table_config(path, estimator=estimator, **limits).as_dict())
        )

    found = best(
        objective={"cost_metric": "params_m", "hi": middle, "constraints": [{"metric": "table_cost", "lo": 7}]}
    )
    within = [row for row in rows if params[row[0]] <= middle and float(row[3]) >= 7]
    expected = max(within, key=lambda row: float(row[2]))
    assert 0 < len(within) < 41
    assert float(expected[2]) < max(float(row[2]) for row in rows)
    assert found == {"arch": expected[0], "truth": float(expected[2]), "limits": "met"}
    assert (
        best(objective={"cost_metric": "table_cost", "hi": 9, "constraints": [{"metric": "params_m", "hi": 0}]}) is None
    )
    monkeypatch.setattr(tables, "MOMENT", -1.0)
    ignored = {"arch": "stranger", "truth": 99.0, "limits": "ignored"}
    assert best(objective={"cost_metric": "params_m", "hi": middle * 1.001}) == ignored


def test_searches_that_train_have_no_optimum(search: Search) -> None:
    assert tables.optimum(search) is None
