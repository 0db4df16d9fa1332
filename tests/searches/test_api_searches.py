"""Searches over the API: list, create from JSON and YAML, read, act, delete; as owner, other user and anonymous."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from engine.config.search import SearchConfig
from searches.examples import EXAMPLES
from searches.models import Candidate, Search, SearchSpace
from searches.services import creation
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import CONFIG, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
ACTIONS = ("pause", "resume", "stop", "cancel", "retry", "extend", "clone")


@pytest.fixture
def owner() -> Any:
    return make_user()


@pytest.fixture
def client(owner: Any) -> APIClient:
    return client_of(owner)


def test_the_list_shows_own_searches_newest_first(owner: Any, client: APIClient) -> None:
    searches = [make_search(owner, name=f"search {i}") for i in range(3)]
    make_search(make_user(), name="not yours")
    rows = client.get(f"{API}searches/").json()["results"]
    assert [row["id"] for row in rows] == [search.pk for search in reversed(searches)]


def test_the_list_narrows_and_pages(owner: Any, client: APIClient) -> None:
    for i in range(5):
        make_search(owner, name=f"run {i}", status="finished" if i % 2 else "running")
    assert len(client.get(f"{API}searches/?status=finished").json()["results"]) == 2
    assert len(client.get(f"{API}searches/?status=finished,running").json()["results"]) == 5
    assert [row["name"] for row in client.get(f"{API}searches/?search=N+3").json()["results"]] == ["run 3"]
    first = client.get(f"{API}searches/?page_size=3").json()
    rest = client.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + rest["results"]] == [f"run {i}" for i in (4, 3, 2, 1, 0)]


def test_the_list_takes_the_same_queries_for_any_number_of_rows(owner: Any, client: APIClient) -> None:
    for _ in range(30):
        search = make_search(owner)
        search.best = make_candidates(search, [{"score": 1.0}])[0]
        search.save()
    with CaptureQueriesContext(connection) as queries:
        rows = client.get(f"{API}searches/").json()["results"]
    assert len(rows) == 30
    assert len(queries) == 3


def test_progress_rate_and_eta(owner: Any, client: APIClient) -> None:
    search = make_search(owner, scored=25, failed=5, asked=38, bound="400")
    now = timezone.now()
    make_candidates(search, [{"score": 1.0, "scored_at": now - timedelta(seconds=10 * i)} for i in range(10)])
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert (body["evaluated"], body["bound"], body["progress"]) == (30, 100, 0.3)
    assert body["rate_per_minute"] == 6
    assert body["eta_seconds"] == pytest.approx(70 / 6 * 60)
    Search.objects.update(status="finished")
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert (body["progress"], body["rate_per_minute"], body["eta_seconds"]) == (1.0, None, None)


def test_a_budget_of_seconds_counts_too(owner: Any, client: APIClient) -> None:
    fields = {"budget_evaluations": None, "budget_seconds": 200.0, "charged_seconds": 50.0}
    search = make_search(owner, scored=10, **fields)
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert (body["bound"], body["progress"]) == (None, 0.25)
    assert body["budget"] == {"evaluations": None, "seconds": 200.0}


def test_the_full_view(owner: Any, client: APIClient) -> None:
    search = make_search(owner)
    made = make_candidates(
        search,
        [
            {"score": 2.0, "layer": 0, "madds_m": 3.5},
            {"score": 1.0, "layer": 1},
            {"status": Candidate.Status.FAILED, "error": "loss is not a number", "layer": 1},
        ],
    )
    search.best = made[0]
    search.save()
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert body["config"] == search.config
    assert yaml.safe_load(body["yaml"]) == search.config
    assert body["space"] == {"kind": "nats_size", "label": "Sizes", "size": "32768", "depth": 5}
    assert (body["dataset"], body["algorithm"], body["estimator"], body["cost_metric"]) == (
        "Digits",
        "layernas",
        "mote",
        "madds_m",
    )
    assert len(body["layer_names"]) == 5
    assert [row["scored"] for row in body["layers_progress"]] == [1, 1, 0, 0, 0]
    assert body["failures"] == [{"number": 2, "arch": made[2].arch, "error": "loss is not a number"}]
    assert (body["best"]["id"], body["best"]["score"], body["best"]["costs"]["madds_m"]) == (made[0].pk, 2.0, 3.5)
    assert body["table_optimum"] is None
    assert "pause" in body["actions"]
    assert "resume" not in body["actions"]


def test_creating(owner: Any, client: APIClient) -> None:
    reply = client.post(f"{API}searches/", CONFIG, format="json")
    assert reply.status_code == 201, reply.content
    body = reply.json()
    search = Search.objects.get()
    assert reply.headers["Location"].endswith(f"/api/v1/searches/{search.pk}/")
    assert (search.owner, search.pk, search.status) == (owner, body["id"], "queued")
    assert body["data_info"]["classes"] == 10


def test_creating_from_yaml(client: APIClient) -> None:
    text = yaml.safe_dump(CONFIG)
    bodies = [
        client.post(f"{API}searches/", text, content_type="application/yaml"),
        client.post(f"{API}searches/", {"yaml": text}, format="json"),
        client.post(f"{API}searches/", {"config": CONFIG}, format="json"),
        client.post(f"{API}searches/", CONFIG, format="json"),
    ]
    assert [reply.status_code for reply in bodies] == [201] * 4
    assert all(reply.json()["config"] == bodies[0].json()["config"] for reply in bodies)


def test_one_key_makes_one_search(client: APIClient) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = client.post(f"{API}searches/", CONFIG, format="json", headers=headers)
    again = client.post(f"{API}searches/", CONFIG, format="json", headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    other = client.post(f"{API}searches/", {**CONFIG, "seed": 7}, format="json", headers=headers)
    assert other.status_code == 400
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Search.objects.count() == 1
    stranger = client_of(make_user()).post(f"{API}searches/", CONFIG, format="json", headers=headers)
    assert stranger.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.slug)
def test_every_example_is_a_body_that_creates_a_search(client: APIClient, example: Any) -> None:
    rows = {row["slug"]: row for row in client.get(f"{API}searches/examples/").json()}
    reply = client.post(f"{API}searches/", rows[example.slug]["config"], format="json")
    assert reply.status_code == 201, reply.content
    preflight = client.post(f"{API}searches/preflight/", rows[example.slug]["config"], format="json").json()
    assert preflight["feasible_share"] > 0.05
    assert preflight["warnings"] == []


def test_preflight_creates_nothing(client: APIClient) -> None:
    body = client.post(f"{API}searches/preflight/", CONFIG, format="json").json()
    assert set(body) == {
        "feasible_share",
        "cost_low",
        "cost_high",
        "metric",
        "histogram",
        "bucket_edges",
        "dry_run",
        "suggestions",
        "samples",
        "bound",
        "size",
        "evaluations",
        *("reduced_data", "reduced_networks", "time", "warnings"),
    }
    assert len(body["histogram"]["edges"]) == len(body["histogram"]["counts"]) + 1
    assert (Search.objects.count(), SearchSpace.objects.count()) == (0, 0)


def test_preflight_explains_reduced_data_and_refuses_what_this_machine_has_not(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = {"space": {"kind": "nasbench201"}, "dataset": {"kind": "digits"}, "estimator": {"kind": "mote"}}
    body = client.post(f"{API}searches/preflight/", config, format="json").json()
    (text,) = body["reduced_networks"]
    assert text.startswith(
        "A convolution of 32 channels, the cell, average pooling by 4, the cell again, the classifier."
    )
    assert "8x8" in text
    (text,) = body["reduced_data"]
    assert text.startswith("all 1,")
    assert "10 labels are too few to leave any out" in text
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    config["estimator"] = {"kind": "mote", "reduction": "labels", "reduced_labels": 5, "encoder": "vgg16_pool"}
    for path in ("searches/preflight/", "searches/"):
        reply = client.post(f"{API}{path}", config, format="json")
        assert reply.status_code == 400
        assert "python -m engine.reduction" in str(reply.json()["errors"])
        assert "estimator.encoder" in str(reply.json()["errors"])
    assert not Search.objects.exists()


def test_checking_a_configuration(client: APIClient) -> None:
    reply = client.post(f"{API}searches/validate/", {"yaml": yaml.safe_dump(CONFIG)}, format="json")
    body = reply.json()
    assert body["config"]["round_size"] == 8
    assert yaml.safe_load(body["yaml"]) == body["config"]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("pause", "running", "paused"),
        ("resume", "paused", "running"),
        ("stop", "running", "finished"),
        ("cancel", "running", "cancelled"),
    ],
)
def test_actions(owner: Any, client: APIClient, action: str, before: str, after: str) -> None:
    search = make_search(owner, status=before)
    assert action in client.get(f"{API}searches/{search.pk}/").json()["actions"]
    reply = client.post(f"{API}searches/{search.pk}/{action}/")
    assert (reply.status_code, reply.json()["status"]) == (200, after)


@pytest.mark.parametrize(("action", "status"), [("pause", "finished"), ("resume", "running"), ("retry", "cancelled")])
def test_refused_actions_are_conflicts_in_words(owner: Any, client: APIClient, action: str, status: str) -> None:
    search = make_search(owner, status=status)
    reply = client.post(f"{API}searches/{search.pk}/{action}/")
    assert reply.status_code == 409
    assert reply.json()["detail"].endswith(".")


def test_extending(owner: Any, client: APIClient) -> None:
    search = make_search(owner, status="finished")
    body = client.post(f"{API}searches/{search.pk}/extend/", {"evaluations": 20}, format="json").json()
    assert body["budget"]["evaluations"] == 120
    assert body["status"] == "running"
    for faulty in ({}, {"evaluations": 0}, {"evaluations": "many"}, {"seconds": -1}):
        reply = client.post(f"{API}searches/{search.pk}/extend/", faulty, format="json")
        assert reply.status_code == 400
        assert reply.json()["errors"]


def test_retrying(owner: Any, client: APIClient) -> None:
    search = make_search(owner, status="finished", failed=1, rounds=1, asked=1)
    (candidate,) = make_candidates(search, [{"status": Candidate.Status.FAILED, "error": "gone"}])
    assert client.post(f"{API}searches/{search.pk}/retry/").json()["failed"] == 0
    candidate.refresh_from_db()
    assert candidate.status == Candidate.Status.PROPOSED


def test_cloning_makes_a_new_search(owner: Any, client: APIClient) -> None:
    first = client.post(f"{API}searches/", CONFIG, format="json").json()
    reply = client.post(f"{API}searches/{first['id']}/clone/")
    assert reply.status_code == 201
    assert reply.json()["id"] != first["id"]
    assert reply.json()["config"] == first["config"]


def test_a_search_of_before_a_limit_is_read_and_cloned(owner: Any, client: APIClient) -> None:
    config = {**CONFIG, "dataset": {"kind": "digits", "valid_share": 0.95}}
    refused = client.post(f"{API}searches/", config, format="json").json()
    assert refused["detail"].startswith("dataset.valid_share: Hold out at most 0.9 of the training images")
    search = creation.create(owner, SearchConfig.stored(config))
    assert [row["id"] for row in client.get(f"{API}searches/").json()["results"]] == [search.pk]
    assert "valid_share: 0.95" in client.get(f"{API}searches/{search.pk}/").json()["yaml"]
    for verb, status in (("clone", 201), ("repeat", 201), ("stop", 200)):
        body = {"count": 1} if verb == "repeat" else {}
        assert client.post(f"{API}searches/{search.pk}/{verb}/", body, format="json").status_code == status
    assert {made.config["dataset"]["valid_share"] for made in Search.objects.all()} == {0.95}
    pages = Client()
    pages.force_login(owner)
    for address in ("/", f"/searches/{search.pk}/", f"/searches/new/?clone={search.pk}"):
        assert pages.get(address).status_code == 200


def test_deleting(owner: Any, client: APIClient) -> None:
    search = make_search(owner)
    make_candidates(search, [{"score": 1.0}])
    assert client.delete(f"{API}searches/{search.pk}/").status_code == 204
    assert client.get(f"{API}searches/{search.pk}/").status_code == 404
    assert not Candidate.objects.exists()


def test_searches_are_private() -> None:
    search = make_search(make_user())
    assert_private(f"searches/{search.pk}/")
    assert_private(f"searches/{search.pk}/", "delete")
    for action in ACTIONS:
        assert_private(f"searches/{search.pk}/{action}/", "post", {"evaluations": 1})
    assert Search.objects.count() == 1
