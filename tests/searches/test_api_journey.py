"""A whole search by API only, on a real table: upload, create, follow the events, read the results, download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from searches.models import Search
from tests.searches.clients import API, client_of
from tests.searches.driving import drive
from tests.searches.factories import make_candidates, make_search, make_user

ESTIMATOR = {
    "kind": "table",
    "reward": "cifar10_val_acc_12",
    "truth": "cifar10_test_acc_200",
    "cost": "cifar10_madds_m",
    "seconds": "cifar10_train_seconds_12",
    "seconds_factor": 0.5,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    return tmp_path


@pytest.mark.shared_data
@pytest.mark.django_db
def test_a_search_over_nasbench201(shared_data: Path) -> None:
    client = client_of(make_user())
    content = (shared_data / "nasbench201.parquet").read_bytes()
    table = client.post(f"{API}tables/", {"file": SimpleUploadedFile("nasbench201.parquet", content)}).json()
    assert (table["name"], table["rows"]) == ("nasbench201.parquet", 15_625)
    body = {
        "space": {"kind": "nasbench201"},
        "algorithm": {"kind": "layernas", "bucketing": "unique"},
        "estimator": {**ESTIMATOR, "table": table["id"]},
        "objective": {"cost_metric": "table_cost"},
        "budget": {"evaluations": 200},
    }
    made = client.post(f"{API}searches/", body, format="json")
    assert made.status_code == 201, made.content
    url = made.headers["Location"]
    drive(Search.objects.get())
    search = client.get(url).json()
    assert (search["status"], search["evaluated"], search["progress"]) == ("finished", 200, 1.0)
    assert search["table_optimum"]["truth"] == pytest.approx(94.37, abs=0.01)
    assert 93 < search["best"]["truth"] <= search["table_optimum"]["truth"]

    seen = []
    last = 0
    while events := (reply := client.get(f"{url}events/?after={last}&limit=7").json())["results"]:
        seen += [event["seq"] for event in events]
        last = reply["last"]
    assert seen == list(range(1, search["event_seq"] + 1))

    best = client.get(f"{url}candidates/?ordering=-score&page_size=1").json()["results"][0]
    assert best["score"] == search["best"]["score"]
    front = client.get(f"{url}pareto/").json()["front"]
    assert front[-1]["score"] == best["score"]
    assert front == sorted(front, key=lambda point: point["cost"])
    layers = client.get(f"{url}buckets/").json()["layers"]
    assert len(layers) == 3
    detail = client.get(f"{API}candidates/{best['id']}/").json()
    assert detail["lineage"][-1]["layer"] in (0, None)
    record = client.get(detail["downloads"]["json"])
    assert record.headers["Content-Disposition"].startswith("attachment")
    assert best["arch"] in json.dumps(json.loads(record.content))
    assert client.get(detail["drawing"]).content.lstrip().startswith(b"<svg")
    assert client.delete(f"{API}tables/{table['id']}/").status_code == 409
    assert client.delete(url).status_code == 204
    assert client.delete(f"{API}tables/{table['id']}/").status_code == 204


@pytest.mark.django_db(transaction=True)
async def test_exports_stream_through_the_real_server_interface() -> None:
    owner = await sync_to_async(make_user)()
    search = await sync_to_async(make_search)(owner)
    await sync_to_async(make_candidates)(search, [{"score": float(i)} for i in range(4_500)])
    client = AsyncClient()
    await sync_to_async(client.force_login)(owner)
    reply = await client.get(f"{API}searches/{search.pk}/export/?format=csv")
    parts = [part async for part in reply.streaming_content]
    assert len(parts) == 4
    assert len(b"".join(parts).splitlines()) == 4_501
