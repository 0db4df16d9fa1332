"""Latency tables: uploaded or measured in the background, cancelled, recovered after a loss, searched, refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from engine.config.latency import LatencyRequest
from engine.config.search import SearchConfig
from engine.errors import ConfigError, DataError
from engine.latency import LatencyTable as Latencies
from searches.models import LatencyTable, NetworkLatency
from searches.services import latencies, measuring, sweeping
from searches.services.errors import ActionRefused
from searches.services.preflight import preflight
from tests.searches.clients import API, assert_private, client_of
from tests.searches.driving import CHAIN, chain_space, drive, start, table_config, write_table
from tests.searches.factories import make_candidates, make_search, make_user

QUICK = {"repeats": 3, "warmup": 0, "seconds": 0.01}
SPACE = {"kind": "chain", "definition": CHAIN}
SIZE = {"channels": 3, "height": 32, "width": 32, "classes": 10}
pytestmark = pytest.mark.django_db


@pytest.fixture
def own_machine(settings: Any) -> None:
    """Allow configurations to name files."""
    settings.NASWEB_EMBEDDED = True


def asked(owner: Any, **changes: Any) -> LatencyTable:
    document = {"space": SPACE, "input": SIZE, "measurement": QUICK, **changes}
    return latencies.measure_table(owner, LatencyRequest.parse(document))


def uploaded(owner: Any, name: str = "device", leave_out: int = 0) -> LatencyTable:
    """Return a made-up table of the tiny chain's operators: each takes a microsecond per input channel."""
    names = sorted(operator.name for operator in chain_space().operators())
    text = "operator,milliseconds\n" + "".join(
        f"{name},{int(name.split()[1].partition('x')[0]) / 1e3}\n" for name in names[leave_out:]
    )
    return latencies.add_table(owner, name, SimpleUploadedFile("device.csv", text.encode()))


def with_latency(tmp_path: Any, table: LatencyTable, **objective: Any) -> SearchConfig:
    objective = {"cost_metric": "latency_ms", "latency_table": table.pk, **objective}
    return table_config(write_table(tmp_path), objective=objective)


def test_a_table_is_measured_in_the_background() -> None:
    row = asked(make_user())
    assert (row.status, row.done, row.name) == ("waiting", 0, "Your own chain on 3x32x32")
    measuring.measure("table", row.pk)
    row.refresh_from_db()
    assert (row.status, row.error) == ("ready", "")
    assert row.dispatched_at is not None
    assert row.done == row.total == len(row.entries) == len(chain_space().operators())
    assert set(row.entries) == {operator.name for operator in chain_space().operators()}
    assert all(value > 0 for value in row.entries.values())
    assert row.content_hash == Latencies.of(row.entries.items()).content_hash
    assert "torch" in row.machine
    before = row.content_hash
    measuring.measure("table", row.pk)  # a message that is delivered twice
    row.refresh_from_db()
    assert row.content_hash == before


def test_data_say_the_size_of_images() -> None:
    assert asked(make_user(), dataset={"kind": "digits"}, input=None).spec == [1, 8, 8, 10]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"input": None}, ""),
        ({"space": {"kind": "nothing"}}, "space"),
        ({"measurement": {"threads": 0}}, "measurement.threads"),
        ({"dataset": {"kind": "upload", "id": 9}, "input": None}, "dataset.id"),
        ({"dataset": {"kind": "torchvision", "name": "cifar10"}, "input": None}, "dataset"),
    ],
)
def test_what_cannot_be_measured_is_refused_at_its_field(
    tmp_path: Any, settings: Any, changes: Any, field: str
) -> None:
    settings.NASWEB_HOME = tmp_path
    with pytest.raises(ConfigError) as refused:
        asked(make_user(), **changes)
    assert refused.value.errors[0].path == field
    assert not LatencyTable.objects.exists()


def test_a_lost_measurement_goes_on_where_it_stood() -> None:
    row = asked(make_user())
    known = {operator.name: 7.0 for operator in sorted(chain_space().operators())[:3]}
    past = timezone.now() - timedelta(seconds=1)
    LatencyTable.objects.filter(pk=row.pk).update(status="measuring", attempts=1, lease_until=past, entries=known)
    sweeping.sweep()
    measuring.measure("table", row.pk)
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("ready", 2)
    assert {name: row.entries[name] for name in known} == known


def test_a_measurement_lost_three_times_has_failed() -> None:
    row = asked(make_user())
    past = timezone.now() - timedelta(seconds=1)
    LatencyTable.objects.filter(pk=row.pk).update(status="measuring", attempts=3, lease_until=past)
    sweeping.sweep()
    row.refresh_from_db()
    assert (row.status, row.error) == ("failed", measuring.LOST)


def test_a_cancelled_measurement_stops_and_writes_nothing_more() -> None:
    row = asked(make_user())
    LatencyTable.objects.filter(pk=row.pk).update(status="measuring", attempts=1)
    row.refresh_from_db()
    held = measuring.Held(row)
    held._told -= 2 * measuring.PAUSE
    assert not held.stop()
    latencies.cancel(row)
    held._told -= 2 * measuring.PAUSE
    assert held.stop()
    held.end(LatencyTable.Status.READY, done=5)
    row.refresh_from_db()
    assert (row.status, row.done) == ("cancelled", 0)
    with pytest.raises(ActionRefused, match="no longer being measured"):
        latencies.cancel(row)


def test_a_failure_is_kept_in_words() -> None:
    row = asked(make_user(), measurement={**QUICK, "device": "cuda"})
    measuring.measure("table", row.pk)
    row.refresh_from_db()
    assert row.status == "failed"
    assert "no GPU" in row.error


@pytest.mark.usefixtures("own_machine")
def test_a_search_keeps_within_a_latency(tmp_path: Any) -> None:
    owner = make_user()
    table = uploaded(owner)
    space = chain_space()
    times = Latencies.of(table.entries.items())
    space.latency = times
    low, high = space.cost_range((), "latency_ms")
    limit = low + 0.4 * (high - low)
    found = preflight(owner, with_latency(tmp_path, table, hi=limit))
    assert (found["cost_low"], found["cost_high"], found["metric"]) == (low, high, "latency_ms")
    assert 0 < found["feasible_share"] < 1
    search = drive(start(with_latency(tmp_path, table, hi=limit), owner))
    assert search.latency_table == table
    assert search.config["objective"]["latency_hash"] == table.content_hash
    scored = list(search.candidates.filter(status="scored"))
    assert len(scored) > 10
    for candidate in scored:
        expected = space.cost(space.architecture(candidate.choices)).metric("latency_ms")
        assert candidate.latency_ms == expected
        assert candidate.feasible == (expected <= limit)
    assert search.best.latency_ms <= limit
    rows = client_of(owner).get(f"{API}searches/{search.pk}/candidates/?latency_ms_max={limit}").json()["results"]
    assert rows[0]["costs"]["latency_ms"] <= limit
    assert "latency_ms" in client_of(owner).get(f"{API}searches/{search.pk}/points/").json()["columns"]
    with pytest.raises(ActionRefused, match=rf"used by search {search.pk}"):
        latencies.delete_table(table)


@pytest.mark.usefixtures("own_machine")
def test_the_content_of_the_table_is_part_of_the_search(tmp_path: Any) -> None:
    owner = make_user()
    table = uploaded(owner)
    start(with_latency(tmp_path, table, latency_hash=table.content_hash), owner)
    client = client_of(owner)
    headers = {"Idempotency-Key": "once"}
    body = with_latency(tmp_path, table).as_dict()
    made = [client.post(f"{API}searches/", body, format="json", headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]
    body["objective"]["hi"] = 1e6
    assert client.post(f"{API}searches/", body, format="json", headers=headers).status_code == 400
    with pytest.raises(ConfigError, match="holds other times"):
        start(with_latency(tmp_path, table, latency_hash="0" * 64), owner)


@pytest.mark.usefixtures("own_machine")
def test_tables_that_will_not_do_are_refused_in_words(tmp_path: Any) -> None:
    owner = make_user()
    lacking = uploaded(owner, leave_out=2)
    waiting = asked(owner)
    cases = [
        (lacking, "lacks 2 of this space's"),
        (waiting, "still being measured, 0 of"),
        (uploaded(make_user()), "You have no latency table"),
    ]
    latencies.cancel(stopped := asked(owner))
    cases.append((stopped, r"not measured to its end \(cancelled\)"))
    for table, words in cases:
        with pytest.raises(ConfigError, match=words) as refused:
            preflight(owner, with_latency(tmp_path, table))
        assert refused.value.errors[0].path == "objective.latency_table"
    with pytest.raises(ConfigError, match="needs a latency table"):
        preflight(owner, table_config(write_table(tmp_path), objective={"cost_metric": "latency_ms"}))
    with pytest.raises(DataError, match="no number"):
        latencies.add_table(owner, "x", SimpleUploadedFile("x.json", b'{"batch_norm 3x8x8": "x"}'))


def test_a_whole_network_is_timed() -> None:
    owner = make_user()
    (candidate,) = make_candidates(make_search(owner), [{"score": 1.0, "latency_ms": 0.5}])
    client = client_of(owner)
    path = f"{API}candidates/{candidate.pk}/latency/"
    made = client.post(path, QUICK, format="json")
    assert made.status_code == 201, made.content
    measuring.measure("network", made.json()["id"])
    (row,) = client.get(path).json()
    assert (row["status"], row["sum_ms"], row["repeats"], row["options"]["threads"]) == ("ready", 0.5, 3, 1)
    assert 0 < row["low_ms"] <= row["median_ms"] <= row["high_ms"]
    wrong = client.post(path, {"threads": "many"}, format="json")
    assert wrong.json()["errors"][0]["field"] == "threads"
    assert NetworkLatency.objects.count() == 1
    assert_private(f"candidates/{candidate.pk}/latency/")


def test_the_rest_interface() -> None:
    owner = make_user()
    client = client_of(owner)
    body = {"name": "mine", "space": SPACE, "input": SIZE, "measurement": QUICK}
    made = client.post(f"{API}latency-tables/", body, format="json")
    assert made.status_code == 201, made.content
    path = f"latency-tables/{made.json()['id']}/"
    assert made.json()["status"] == "waiting"
    assert client.post(f"{API}{path}cancel/").json()["status"] == "cancelled"
    assert client.post(f"{API}{path}cancel/").status_code == 409
    file = SimpleUploadedFile("device.json", b'{"operators": {"batch_norm 3x8x8": 0.25}}')
    sent = client.post(f"{API}latency-tables/", {"file": file}, format="multipart")
    assert sent.status_code == 201, sent.content
    assert (sent.json()["name"], sent.json()["operators"]) == ("device.json", {"batch_norm 3x8x8": 0.25})
    csv = client.get(f"{API}latency-tables/{sent.json()['id']}/download/").content
    assert csv == b"operator,milliseconds\nbatch_norm 3x8x8,0.25\n"
    bad = client.post(f"{API}latency-tables/", {"file": SimpleUploadedFile("x.csv", b"a,b\n")}, format="multipart")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "file")
    nothing = client.post(f"{API}latency-tables/", {"space": SPACE}, format="json")
    assert nothing.status_code == 400
    assert "size of the images" in nothing.json()["detail"]
    assert [row["name"] for row in client.get(f"{API}latency-tables/").json()["results"]] == ["device.json", "mine"]
    assert_private(path)
    assert client.delete(f"{API}{path}").status_code == 204
    gone = client.get(f"{API}{path}")
    assert (gone.status_code, gone.json()["detail"]) == (404, "There is no such latency table, or it is not yours.")
