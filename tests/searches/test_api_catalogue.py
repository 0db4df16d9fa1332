"""The catalogue, workers, OpenAPI, its page, tokens and ready examples."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from django.core.management import call_command
from django.utils import timezone

from engine.config.search import SearchConfig
from searches.examples import EXAMPLES
from searches.models import Worker
from tests.searches.clients import API, client_of
from tests.searches.factories import make_search, make_user

pytestmark = pytest.mark.django_db
CLOSED = ("searches", "algorithms", "estimators", "space-kinds", "workers", "spaces", "datasets", "tables")


@pytest.mark.parametrize("name", CLOSED)
def test_nothing_without_signing_in(name: str) -> None:
    reply = client_of().get(f"{API}{name}/")
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Token"
    assert reply.json()["status"] == 401


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("algorithms", {"layernas", "random"}),
        ("estimators", {"mote", "mote_plus", "loss_curve", "proxy", "short_training", "table"}),
        ("space-kinds", {"nasbench201", "nats_size", "chain"}),
    ],
)
def test_kinds_come_with_the_schema_of_their_options(name: str, kinds: set[str]) -> None:
    rows = client_of(make_user()).get(f"{API}{name}/").json()
    assert kinds <= {row["kind"] for row in rows}
    for row in rows:
        assert row["options"]["properties"]["kind"]["const"] == row["kind"]
        assert row["label"]
        assert row["description"]


def test_workers_hide_what_they_do_for_others() -> None:
    owner = make_user()
    now = timezone.now()
    search = make_search(owner)
    fields = {"host": "here", "search": search, "current": "8:8:8:8:8"}
    Worker.objects.create(name="here:1", pid=1, seen_at=now, **fields)
    Worker.objects.create(name="here:2", pid=2, seen_at=now - timedelta(minutes=20), **fields)
    Worker.objects.create(name="here:3", pid=3, seen_at=now - timedelta(days=1), **fields)
    rows = client_of(owner).get(f"{API}workers/").json()
    assert [(row["name"], row["alive"], row["search"]) for row in rows] == [
        ("here:1", True, search.pk),
        ("here:2", False, search.pk),
    ]
    assert rows[0]["current"] == "8:8:8:8:8"
    other = client_of(make_user()).get(f"{API}workers/").json()
    assert {(row["search"], row["current"]) for row in other} == {(None, "")}


def test_a_token_opens_the_api() -> None:
    make_user("ada")
    client = client_of()
    token = client.post(f"{API}token/", {"username": "ada", "password": "a long enough password"}).json()["token"]
    reply = client.get(f"{API}searches/", headers={"Authorization": f"Token {token}"})
    assert reply.status_code == 200
    wrong = client.post(f"{API}token/", {"username": "ada", "password": "guess"})
    assert wrong.status_code == 400
    assert wrong.headers["Content-Type"] == "application/problem+json"


def test_openapi_is_valid_and_describes_the_configuration(tmp_path) -> None:
    target = tmp_path / "schema.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(target))
    schema = yaml.safe_load(target.read_text())
    body = schema["paths"]["/api/v1/searches/"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"] == {"$ref": "#/components/schemas/SearchConfig"}
    assert "application/yaml" in body
    config = schema["components"]["schemas"]["SearchConfig"]
    assert set(config["properties"]) == set(SearchConfig.model_fields)
    assert set(config["required"]) == {"space", "estimator"}
    assert "LayerNASOptions" in schema["components"]["schemas"]


def test_the_docs_page_has_no_inline_script_and_no_foreign_address() -> None:
    reply = client_of().get(f"{API}docs/")
    page = reply.content.decode()
    assert reply.status_code == 200
    assert page.count("<script src=") == page.count("<script")
    assert "http://" not in page
    assert "https://" not in page


def test_unknown_addresses_are_problems() -> None:
    reply = client_of(make_user()).get(f"{API}nothing/")
    assert reply.status_code == 404
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_examples_are_configurations_and_digits_come_first() -> None:
    rows = client_of(make_user()).get(f"{API}searches/examples/").json()
    assert [row["slug"] for row in rows] == [example.slug for example in EXAMPLES]
    first = SearchConfig.parse(rows[0]["config"])
    assert (first.dataset.kind, first.algorithm.kind, first.estimator.kind) == ("digits", "layernas", "mote")
    assert first.budget.evaluations >= 30
    for row in rows:
        SearchConfig.parse(row["config"])
