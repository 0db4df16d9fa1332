"""Official benchmark files: missing with instructions, read by administrators, searched, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from searches.models import BenchmarkFile, Search
from searches.services import measuring, tabular_files
from searches.services.errors import ActionRefused
from searches.services.preflight import preflight
from searches.services.tabular_files import ADMINISTRATORS_ONLY
from tests.engine.official import write_nats
from tests.searches.clients import API, client_of
from tests.searches.driving import drive, start
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
WIDTHS = (8, 16, 64)
SIZES = tuple(f"{a}:{b}:8:{c}:64" for a in WIDTHS for b in WIDTHS for c in WIDTHS)
FOLDER = "NATS-sss-v1_0-50262-simple"
CONFIG = {
    "space": {"kind": "nats_size"},
    "algorithm": {"kind": "random"},
    "estimator": {"kind": "benchmark", "name": "nats_sss", "dataset": "cifar100", "epochs": 12, "cost": "madds_m"},
    "objective": {"cost_metric": "table_cost", "hi": 100},  # networks without a row have no known cost
    "budget": {"evaluations": 10},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    return tmp_path


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official folder with 27 of the networks."""
    folder = tmp_path_factory.mktemp("official") / FOLDER
    write_nats(folder, SIZES, {"12": 12, "90": 90}, seeds=(777,))
    return folder


def put(official: Path, home: Path) -> None:
    (home / "benchmarks").mkdir()
    (home / "benchmarks" / FOLDER).symlink_to(official)


def test_a_missing_file_is_told_with_what_to_do(home: Path, official: Path) -> None:
    owner = make_user(is_staff=True)
    config = SearchConfig.parse(CONFIG)
    with pytest.raises(ConfigError) as missing:
        preflight(owner, config)
    (error,) = missing.value.errors
    assert error.path == "estimator.name"
    assert f"Put “{FOLDER}” into {home / 'benchmarks'}" in error.message
    assert "github.com/D-X-Y/NATS-Bench" in error.message
    with pytest.raises(ActionRefused, match="is not on this machine"):
        tabular_files.read(owner, "nats_sss")
    put(official, home)
    with pytest.raises(ConfigError, match=r"was not read yet\. Press “Read”"):
        preflight(owner, config)
    tabular_files.read(owner, "nats_sss")
    with pytest.raises(ConfigError, match=r"is being read\. Wait until it is ready: 0 of \? networks"):
        preflight(owner, config)


def test_only_administrators_change_what_all_accounts_share(home: Path, official: Path) -> None:
    user = make_user()
    config = SearchConfig.parse(CONFIG)
    client = client_of(user)
    pages = Client()
    pages.force_login(user)
    with pytest.raises(ConfigError, match=f"Ask an administrator to put “{FOLDER}” into the") as missing:
        preflight(user, config)
    put(official, home)
    with pytest.raises(ConfigError, match=r"was not read yet\. Ask an administrator to press “Read”"):
        preflight(user, config)
    address = f"{API}benchmarks/nats_sss/"
    act = "/tables/benchmarks/nats_sss"
    replies = [client.post(address), client.delete(address), client.delete(f"{API}benchmarks/nasbench301_1.0/")]
    assert [(reply.status_code, reply.json()["detail"]) for reply in replies] == [(403, ADMINISTRATORS_ONLY)] * 3
    for action in ("read", "cancel", "forget"):
        refused = pages.post(f"{act}/{action}/")
        assert (refused.status_code, ADMINISTRATORS_ONLY in refused.content.decode()) == (403, True)
    assert not BenchmarkFile.objects.exists()
    BenchmarkFile.objects.create(name="nats_sss", status="failed", error=f"PermissionError: {home}")
    rows = client.get(f"{API}benchmarks/")
    page = pages.get("/tables/")
    assert {(row["folder"], row["error"]) for row in rows.json()} == {(None, "")}
    assert next(row["state"] for row in rows.json() if row["name"] == "nats_sss") == "failed"
    assert not any(str(home) in text for text in (str(missing.value), rows.content.decode(), page.content.decode()))
    assert f"{act}/read/" not in page.content.decode()
    administrator = make_user(is_staff=True)
    pages.force_login(administrator)
    assert f"{act}/read/" in pages.get("/tables/").content.decode()
    rows = client_of(administrator).get(f"{API}benchmarks/").json()
    assert {row["folder"] for row in rows} == {str(home / "benchmarks")}
    assert pages.post(f"{act}/read/").status_code == 302
    assert BenchmarkFile.objects.get().status == "waiting"


def test_a_file_is_read_and_searched_in(home: Path, official: Path) -> None:
    put(official, home)
    owner = make_user(is_staff=True)
    client = client_of(owner)
    states = {row["name"]: row["state"] for row in client.get(f"{API}benchmarks/").json()}
    surrogates = {"nasbench301_1.0": "missing", "nasbench301_0.9": "missing"}
    assert states == {"nats_tss": "missing", "nats_sss": "found", "nasbench101": "missing", **surrogates}
    assert client.post(f"{API}benchmarks/nats_sss/").json()["state"] == "waiting"
    assert client.post(f"{API}benchmarks/nats_sss/").status_code == 409
    measuring.measure("benchmark", BenchmarkFile.objects.get().pk)
    row = next(row for row in client.get(f"{API}benchmarks/").json() if row["name"] == "nats_sss")
    assert (row["state"], row["done"], row["total"], row["error"]) == ("ready", 27, 27, "")
    preflight(owner, SearchConfig.parse(CONFIG))
    search = drive(start(SearchConfig.parse(CONFIG), owner))
    assert search.status == "finished"
    scored = search.candidates.filter(status="scored")
    assert all(c.arch in SIZES and c.truth is not None and c.table_cost == 70.25 for c in scored)
    found = client.get(f"{API}searches/{search.pk}/").json()
    assert found["table_optimum"]["arch"] in SIZES
    refused = client.delete(f"{API}benchmarks/nats_sss/")
    assert (refused.status_code, f"is used by search {search.pk}" in refused.json()["detail"]) == (409, True)
    as_final = {"estimator": {"kind": "mote"}, "final": {"estimator": search.config["estimator"]}}
    Search.objects.filter(pk=search.pk).update(config=search.config | as_final)
    assert client.delete(f"{API}benchmarks/nats_sss/").status_code == 409
    search.delete()
    assert client.delete(f"{API}benchmarks/nats_sss/").status_code == 204
    assert not (home / "benchmarks" / "nats_sss.parquet").exists()
    assert (home / "benchmarks" / FOLDER).exists()
    assert client.post(f"{API}benchmarks/magic/").status_code == 404


def test_a_reading_can_be_cancelled_and_failures_are_kept(home: Path, official: Path) -> None:
    put(official, home)
    owner = make_user(is_staff=True)
    client = client_of(owner)
    row = tabular_files.read(owner, "nats_sss")
    assert client.delete(f"{API}benchmarks/nats_sss/").status_code == 204
    measuring.measure("benchmark", row.pk)
    row.refresh_from_db()
    assert row.status == "cancelled"
    row = tabular_files.read(owner, "nats_sss")
    (home / "benchmarks" / FOLDER).unlink()
    measuring.measure("benchmark", row.pk)
    row.refresh_from_db()
    assert (row.status, row.error) == ("failed", "the official file no longer exists")
    (home / "benchmarks" / FOLDER).mkdir()
    row = tabular_files.read(owner, "nats_sss")
    measuring.measure("benchmark", row.pk)
    row.refresh_from_db()
    assert (row.status, "meta.pickle.pbz2' is missing" in row.error) == ("failed", True)
    with pytest.raises(ConfigError, match="The last attempt failed"):
        preflight(owner, SearchConfig.parse(CONFIG))
