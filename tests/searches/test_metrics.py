"""The catalogue of metrics where people meet it: rows, answers, files, plots and pages."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from engine.memory import peak
from engine.metrics import COST_NAMES, METRICS, SCORE_NAMES
from searches.models import Candidate
from searches.selectors import candidate_files, spaces
from tests.searches.clients import client_of
from tests.searches.driving import chain_space, drive, start, table_config, write_table
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/"
PEAK = "peak_memory_mb"


def pages_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_every_metric_has_a_column_and_every_cost_a_field() -> None:
    search = make_search(make_user())
    candidate = make_candidates(search, [{"score": 1.0}])[0]
    columns = {field.name for field in Candidate._meta.get_fields()}
    assert set(METRICS) <= columns
    client = client_of(search.owner)
    body = client.get(f"{API}candidates/{candidate.pk}/").json()
    assert list(body["costs"]) == list(COST_NAMES)
    assert set(SCORE_NAMES) <= set(body)
    points = client.get(f"{API}searches/{search.pk}/points/").json()["columns"]
    assert set(METRICS) <= set(points)


def test_pages_carry_the_catalogue_as_json() -> None:
    page = pages_of(make_user()).get("/").content.decode()
    found = re.search(r'<script id="metrics" type="application/json">(.*?)</script>', page)
    assert found is not None
    assert json.loads(found[1]) == [metric.as_json() for metric in METRICS.values()]


def test_a_network_without_the_cost_is_null_in_answers_and_empty_in_files() -> None:
    """As rows are that were stored before the cost was counted."""
    search = make_search(make_user())
    candidate = make_candidates(search, [{"score": 1.0, "madds_m": 2.0}])[0]
    client = client_of(search.owner)
    assert client.get(f"{API}candidates/{candidate.pk}/").json()["costs"][PEAK] is None
    rows = Candidate.objects.networks().filter(search=search).select_related("evaluation").prefetch_related("tags")
    text = b"".join(candidate_files.csv_parts(rows)).decode()
    assert next(csv.DictReader(io.StringIO(text)))[PEAK] == ""
    assert client.get(f"{API}searches/{search.pk}/pareto/?metric={PEAK}").json() == {"metric": PEAK, "front": []}


def test_a_search_limits_stores_and_offers_the_peak_memory(tmp_path: Path) -> None:
    owner = make_user()
    table = write_table(tmp_path)
    low, high = chain_space().whole_range((), PEAK)
    limit = (low + high) / 2
    config = table_config(
        table,
        algorithm={"kind": "regularised_evolution"},
        objective={"cost_metric": PEAK, "hi": limit, "constraints": [{"metric": "params_m", "lo": 0}]},
    )
    search = drive(start(config, owner))
    rows = list(search.candidates.networks().filter(status=Candidate.Status.SCORED))
    assert rows
    space = spaces.of_search(search)
    for row in rows:
        value = peak(space.blueprint(space.architecture(row.choices))) * 4 / 1e6
        assert getattr(row, PEAK) == value
        assert row.feasible == (value <= limit)
    client = client_of(owner)
    front = client.get(f"{API}searches/{search.pk}/pareto/").json()
    assert front["metric"] == PEAK
    assert [point["cost"] for point in front["front"]] == sorted(point["cost"] for point in front["front"])
    assert all(point["cost"] <= limit for point in front["front"])
    filtered = client.get(f"{API}searches/{search.pk}/candidates/?{PEAK}_max={limit}&ordering={PEAK}").json()["results"]
    assert [row["costs"][PEAK] for row in filtered] == sorted(row["costs"][PEAK] for row in filtered)
    page = pages_of(owner).get(f"/searches/{search.pk}/").content.decode()
    assert f'<option value="{PEAK}">Peak memory</option>' in page
