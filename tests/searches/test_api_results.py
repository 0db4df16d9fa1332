"""Points, buckets, front, events and export of a search over the API, at 10,000 candidates too."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from searches.models import Bucket, Candidate, Evaluation, Event, Search, Tag
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
PARTS = ("candidates", "points", "buckets", "pareto", "events", "export")


@pytest.fixture
def search() -> Search:
    return make_search(make_user())


def get(search: Search, path: str, status: int = 200) -> Any:
    reply = client_of(search.owner).get(f"{API}searches/{search.pk}/{path}")
    assert reply.status_code == status, reply.content
    return reply.json()


def exported(search: Search, name: str) -> str:
    reply = client_of(search.owner).get(f"{API}searches/{search.pk}/export/?format={name}")
    assert reply.status_code == 200
    return b"".join(reply).decode()


@pytest.mark.parametrize("part", PARTS)
def test_parts_are_private(search: Search, part: str) -> None:
    assert_private(f"searches/{search.pk}/{part}/")


def test_points_hold_finished_candidates_only(search: Search) -> None:
    make_candidates(
        search,
        [
            {"score": 1.0, "madds_m": 2.0, "layer": 0},
            {},
            {"status": Candidate.Status.FAILED},
            {"score": 3.0, "feasible": False},
        ],
    )
    body = get(search, "points/")
    assert body["columns"]["number"] == [0, 2, 3]
    assert body["columns"]["score"] == [1.0, None, 3.0]
    assert body["columns"]["madds_m"] == [2.0, None, None]
    assert body["columns"]["feasible"] == [True, True, False]
    assert body["columns"]["layer"] == [0, None, None]
    assert (body["last"], body["more"]) == (3, False)


def test_points_go_on_where_they_ended(search: Search) -> None:
    make_candidates(search, [{"score": float(i)} for i in range(5)])
    first = get(search, "points/?limit=2")
    assert (first["columns"]["number"], first["last"], first["more"]) == ([0, 1], 1, True)
    rest = get(search, f"points/?after={first['last']}")
    assert (rest["columns"]["number"], rest["more"]) == ([2, 3, 4], False)
    nothing = get(search, "points/?after=4")
    assert (nothing["columns"]["number"], nothing["last"]) == ([], 4)


def test_points_of_given_numbers(search: Search) -> None:
    make_candidates(search, [{"score": 1.0}, {"score": 2.0}, {}, {"score": 4.0}])
    assert get(search, "points/?numbers=3,1,2,99")["columns"]["number"] == [1, 3]
    assert get(search, "points/?numbers=")["columns"]["number"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("points/?after=x", "after"),
        ("points/?limit=0", "limit"),
        ("points/?numbers=1,two", "numbers"),
        ("points/?numbers=99999999999999999999", "numbers"),
        ("pareto/?metric=beauty", "metric"),
        ("events/?after=-1", "after"),
        ("events/?limit=100000", "limit"),
        ("export/?format=exe", "format"),
    ],
)
def test_faulty_parameters_are_named(search: Search, path: str, field: str) -> None:
    assert get(search, path, 400)["errors"][0]["field"] == field


def test_buckets_come_with_layer_names_and_candidates(search: Search) -> None:
    made = make_candidates(search, [{"score": 1.0}, {"score": 2.0}])
    fields = {"low": 0.0, "high": 5.0, "inserted": 3, "evicted": 1}
    Bucket.objects.create(search=search, layer=1, index=4, residents=[[1, 2.0], [0, 1.0]], **fields)
    Bucket.objects.create(search=search, layer=0, index=2, residents=[], **fields)
    body = get(search, "buckets/")
    assert body["metric"] == "madds_m"
    assert [layer["layer"] for layer in body["layers"]] == [0, 1]
    assert all(layer["name"] for layer in body["layers"])
    (empty,), (cell,) = (layer["buckets"] for layer in body["layers"])
    assert (empty["id"], empty["score"], empty["number"]) == (None, None, None)
    assert (cell["id"], cell["score"], cell["number"]) == (made[1].pk, 2.0, 1)
    assert cell["residents"] == [[1, 2.0], [0, 1.0]]
    assert (cell["index"], cell["low"], cell["high"], cell["inserted"], cell["evicted"]) == (4, 0.0, 5.0, 3, 1)
    assert cell["kept"] == len(cell.pop("residents"))
    assert empty["kept"] == len(empty.pop("residents")) == 0
    assert get(search, "buckets/?residents=0") == body
    objective = search.config["objective"] | {"size_exponent": 0.1}  # buckets then hold what scores are worth
    search.config = search.config | {"objective": objective, "estimator": {"kind": "short_training", "epochs": 1}}
    search.save()
    Bucket.objects.filter(layer=1).update(residents=[[0, 9.0], [1, 8.0]])
    for brief in ("0", "1"):
        shown = get(search, f"buckets/?layer=1&residents={brief}")["layers"][0]["buckets"][0]
        assert (shown["id"], shown["score"], shown["number"], shown["kept"]) == (made[0].pk, 1.0, 0, 2)


def test_front_is_feasible_unless_asked_otherwise(search: Search) -> None:
    make_candidates(
        search,
        [
            {"score": 1.0, "madds_m": 1.0, "params_m": 9.0},
            {"score": 0.5, "madds_m": 2.0, "params_m": 1.0},
            {"score": 3.0, "madds_m": 3.0, "params_m": 9.5},
            {"score": 9.0, "madds_m": 2.5, "feasible": False},
            {"score": 9.5},
            {},
        ],
    )
    assert [p["number"] for p in get(search, "pareto/")["front"]] == [0, 2]
    assert [p["number"] for p in get(search, "pareto/?feasible=0")["front"]] == [0, 3]
    by_params = get(search, "pareto/?metric=params_m")
    assert by_params["metric"] == "params_m"
    assert [(p["number"], p["cost"], p["score"]) for p in by_params["front"]] == [
        (1, 1.0, 0.5),
        (0, 9.0, 1.0),
        (2, 9.5, 3.0),
    ]


def test_events_after_a_number(search: Search) -> None:
    for seq in range(1, 6):
        Event.objects.create(search=search, seq=seq, kind=Event.Kind.ROUND, payload={"round": seq})
    first = get(search, "events/?limit=2")
    assert ([e["seq"] for e in first["results"]], first["last"]) == ([1, 2], 2)
    rest = get(search, "events/?after=2")
    assert ([e["seq"] for e in rest["results"]], rest["last"]) == ([3, 4, 5], 5)
    assert get(search, "events/?after=5") == {"results": [], "last": 5}
    assert first["results"][0]["payload"] == {"round": 1}


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_export_holds_every_candidate(search: Search) -> None:
    make_candidates(search, [{"score": i / 3, "madds_m": 1.0} for i in range(2_100)] + [{"score": float("inf")}])
    table = list(csv.DictReader(io.StringIO(exported(search, "csv"))))
    assert [int(row["number"]) for row in table] == list(range(2_101))
    assert float(table[7]["score"]) == 7 / 3
    rows = json.loads(exported(search, "json"))
    assert [row["number"] for row in rows] == list(range(2_101))
    assert rows[7]["costs"]["madds_m"] == 1.0
    assert rows[-1]["score"] is None


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_export_holds_tags_and_terms_and_no_formula(search: Search) -> None:
    rows = make_candidates(
        search, [{"score": 1.5, "note": "=1+2", "trained_test_accuracy": 90.0}, {"note": "fine"}, {}]
    )
    Tag.objects.bulk_create(Tag(candidate=rows[0], name=name) for name in ("@home", "best"))
    for row, terms in zip(rows, ({"landscape": 0.25, "mote": 1.0}, {"speed": None}, {}), strict=True):
        Evaluation.objects.filter(pk=row.evaluation_id).update(terms=terms)
    first, second, third = csv.DictReader(io.StringIO(exported(search, "csv")))
    assert list(first)[-5:] == ["tags", "note", "term_landscape", "term_mote", "term_speed"]
    assert (first["tags"], first["note"], second["note"]) == ("'@home,best", "'=1+2", "fine")
    assert (first["term_landscape"], first["term_mote"], first["term_speed"]) == ("0.25", "1.5", "")
    assert (first["trained_test_accuracy"], third["tags"], third["term_mote"]) == ("90.0", "", "")
    reply = client_of(search.owner).get(f"{API}searches/{search.pk}/export/?format=parquet")
    table = pq.read_table(io.BytesIO(b"".join(reply)))
    assert table.column_names == list(first)
    assert table["tags"].to_pylist() == ["@home,best", "", ""]
    assert (table["note"][0].as_py(), table["term_landscape"].to_pylist()) == ("=1+2", [0.25, None, None])
    assert str(table.schema.field("term_speed").type) == "double"


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_export_of_nothing(search: Search) -> None:
    assert json.loads(exported(search, "json")) == []
    assert exported(search, "csv").startswith("id,number,round,arch")


def test_ten_thousand_candidates_take_as_few_queries_as_ten(search: Search) -> None:
    make_candidates(
        search, [{"score": (i * 7919 % 10_007) / 1e4, "madds_m": float(i % 997), "layer": i % 5} for i in range(10_000)]
    )
    client = client_of(search.owner)
    limits = {"": 5, "candidates/?ordering=-score": 4, "points/": 2, "pareto/": 3, "buckets/": 2, "events/": 2}
    for path, most in limits.items():
        with CaptureQueriesContext(connection) as queries:
            reply = client.get(f"{API}searches/{search.pk}/{path}")
        assert reply.status_code == 200
        assert len(queries) <= most, (path, [query["sql"] for query in queries])


def test_a_selection_is_exported_as_the_table_shows_it(search: Search) -> None:
    rows = [{"score": float(i), "feasible": i % 2 == 0, "madds_m": 10.0 * i, "layer": i % 3} for i in range(12)]
    make_candidates(search, [*rows, {"status": Candidate.Status.FAILED, "error": "broken"}])
    address = f"{API}searches/{search.pk}/export/?feasible=true&madds_m_min=30&format="
    reply = client_of(search.owner).get(address + "csv")
    chosen = [int(row["number"]) for row in csv.DictReader(io.StringIO(b"".join(reply).decode()))]
    assert chosen == [4, 6, 8, 10]
    table = pq.read_table(io.BytesIO(b"".join(client_of(search.owner).get(address + "parquet"))))
    assert table["number"].to_pylist() == chosen
    assert str(table.schema.field("score").type) == "double"
    whole = client_of(search.owner).get(f"{API}searches/{search.pk}/export/?format=parquet")
    everything = pq.read_table(io.BytesIO(b"".join(whole))).to_pandas()
    assert len(everything) == 13
    assert everything["error"].iloc[-1] == "broken"
    assert everything["score"].isna().sum() == 1
    bad = client_of(search.owner).get(f"{API}searches/{search.pk}/export/?madds_m_min=much")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "madds_m_min")
