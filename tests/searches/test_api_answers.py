"""Every documented operation of the API answers as its schema says: all fields, no others, and of these types."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from searches.models import Calibration, Candidate, Evaluation, LatencyTable, MoteScore, Search, Worker
from searches.services import measuring, training_runs
from tests.engine.official import write_nats
from tests.searches.answers_checked import CheckedClient, complaints, declared
from tests.searches.driving import CHAIN, drive, write_table
from tests.searches.factories import make_candidates, make_search, make_user
from tests.searches.test_sources import images, zipped

pytestmark = pytest.mark.django_db
SPACE = {"kind": "chain", "definition": CHAIN}
QUICK = {"repeats": 3, "warmup": 0, "seconds": 0.01}
TRAINING = {"kind": "short_training", "epochs": 1, "batch_size": 256}
OFFICIAL = "NATS-sss-v1_0-50262-simple"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    settings.NASWEB_EMBEDDED = True  # configurations may name files
    return tmp_path


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return declared()


@pytest.fixture
def api(document: dict[str, Any]) -> CheckedClient:
    """Return a client of an administrator, who may have benchmark files read."""
    return CheckedClient(make_user("asker", is_staff=True), document)


def file(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_every_operation_answers_as_declared(api: CheckedClient, home: Path, document: dict[str, Any]) -> None:
    user = api.client.handler._force_user
    _catalogue(api, user)
    _sources(api)
    table = api.send("post", "tables/", {"file": file(write_table(home).read_bytes(), "t.csv")}, form=True, status=201)
    search = _searches(api, table["id"])
    _results(api, search)
    _candidates(api, search)
    _trainings(api, search)
    _mote(api, user)
    _latencies(api)
    _studies(api, table["id"])
    _benchmarks(api, home)
    api.send("delete", f"searches/{search.pk}/", status=204)
    api.send("get", f"searches/{search.pk}/", status=404)
    assert api.faults == []
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    known = {(operation["operationId"], status) for operation in operations for status in operation["responses"]}
    assert {answer for answer in known - api.seen if answer[1] != "default"} == set()
    assert ("searches_retrieve", "default") in api.seen


def _catalogue(api: CheckedClient, user: Any) -> None:
    for name in ("algorithms", "estimators", "space-kinds", "recipes", "searches/examples", "benchmarks"):
        assert api.send("get", f"{name}/")
    api.send("get", "schema/?format=json")
    sent = {"username": user.get_username(), "password": "a long enough password"}
    api.send("post", "token/", sent)
    Worker.objects.create(name="host:1", host="host", pid=1, device="cpu", memory_mb=1.5, seen_at=timezone.now())
    assert api.send("get", "workers/")


def _sources(api: CheckedClient) -> None:
    space = api.send("post", "spaces/", {"name": "tiny", "definition": CHAIN}, status=201)
    api.send("get", "spaces/")
    api.send("post", "spaces/check/", {"definition": CHAIN, "input": {"side": 8}}, status=400)
    api.send("post", "spaces/check/", {"definition": CHAIN, "input": {"channels": 1}})
    for part in ("", "inspection/", "drawing.svg/"):
        api.send("get", f"spaces/{space['id']}/{part}")
    api.send("delete", f"spaces/{space['id']}/", status=204)
    pictures = api.send("post", "datasets/", {"file": file(zipped(images()), "pets.zip")}, form=True, status=201)
    api.send("get", "datasets/")
    for part in ("", "inspection/", "sample/?class=cat"):
        api.send("get", f"datasets/{pictures['id']}/{part}")
    api.send("delete", f"datasets/{pictures['id']}/", status=204)
    words = b"arch,score,note\na,1.5,good\nb,,bad\n"
    table = api.send("post", "tables/", {"file": file(words, "words.csv")}, form=True, status=201)
    api.send("get", "tables/")
    for part in ("", "inspection/"):
        api.send("get", f"tables/{table['id']}/{part}")
    api.send("delete", f"tables/{table['id']}/", status=204)


def _searches(api: CheckedClient, table: int) -> Search:
    """Return a finished search over the table, with finalists trained on digits; all else is done to its repeats."""
    config = {
        "name": "answers",
        "space": SPACE,
        "dataset": {"kind": "digits"},
        "algorithm": {"kind": "layernas", "buckets": 6, "replicas": 2},
        "estimator": {"kind": "table", "table": table, "reward": "score", "truth": "truth", "seconds": "seconds"},
        "objective": {"cost_metric": "params_m"},
        "final": {"estimator": TRAINING, "count": 2},
        "budget": {"evaluations": 30},
    }
    trained = {**config, "estimator": TRAINING, "final": None, "budget": {"evaluations": 6}}
    api.send("post", "searches/validate/", config)
    api.send("post", "searches/preflight/", config)
    api.send("post", "searches/preflight/", trained | {"algorithm": {"kind": "random"}})
    api.send("post", "searches/preflight/", trained | {"estimator": {"kind": "mote"}})
    search = Search.objects.get(pk=api.send("post", "searches/", config, status=201)["id"])
    api.send("get", f"searches/{search.pk}/")
    drive(search)
    api.send("post", f"searches/{search.pk}/repeat/", {"count": 1}, status=201)
    number = api.send("post", f"searches/{search.pk}/clone/", status=201)["id"]
    for action in ("pause", "resume", "stop"):
        api.send("post", f"searches/{number}/{action}/")
    cancelled = api.send("post", f"searches/{search.pk}/clone/", status=201)["id"]
    api.send("post", f"searches/{cancelled}/cancel/")
    short = api.send("post", "searches/", trained, status=201)["id"]
    drive(Search.objects.get(pk=short))
    spoilt = Candidate.objects.filter(search=short).order_by("number").first()
    assert spoilt is not None
    Candidate.objects.filter(pk=spoilt.pk).update(status="failed", score=None, error="out of memory")
    Evaluation.objects.filter(pk=spoilt.evaluation_id).update(status="failed", score=None, error="out of memory")
    Search.objects.filter(pk=short).update(failed=1)
    api.send("get", f"searches/{short}/")
    api.send("post", f"searches/{short}/retry/")
    drive(Search.objects.get(pk=short))
    api.send("post", f"searches/{short}/extend/", {"evaluations": 1})
    api.send("patch", f"searches/{search.pk}/", {"note": "*good*"})
    api.send("get", "searches/")
    api.send("get", f"comparisons/?searches={search.pk},{short},{number}")
    for row in Search.objects.filter(status__in=Search.ACTIVE):
        drive(row)  # trainings wait while a search is active
    search.refresh_from_db()
    return search


def _results(api: CheckedClient, search: Search) -> None:
    own = f"searches/{search.pk}/"
    for part in ("candidates", "plot", "history", "budget", "points", "buckets", "pareto", "events", "trust", "export"):
        api.send("get", f"{own}{part}/")
    for query in ("budget/?cost=0", "points/?numbers=0,1", "buckets/?residents=0", "buckets/?upto=12"):
        api.send("get", own + query)
    for wanted in ("json", "parquet"):
        api.send("get", f"{own}export/?format={wanted}")
    api.send("post", f"{own}front/download/", status=202)
    api.send("get", f"{own}front/download/")
    api.send("post", f"{own}front/download/")


def _candidates(api: CheckedClient, search: Search) -> None:
    assert search.best is not None
    own = f"candidates/{search.best.pk}/"
    other = search.candidates.networks().exclude(pk=search.best.pk).filter(status="scored").first()
    api.send("get", own)
    api.send("patch", own, {"pinned": True, "tags": ["best"], "note": "yes"})
    api.send("get", f"{own}difference/?against={other.pk}")
    api.send("get", f"{own}drawing.svg")
    measured = api.send("post", f"{own}latency/", QUICK, status=201)
    measuring.measure("network", measured["id"])
    assert api.send("get", f"{own}latency/")[0]["median_ms"] > 0
    api.send("post", f"{own}prepare/?format=py", status=202)
    api.send("get", f"{own}download/?format=py")
    api.send("post", f"{own}prepare/?format=py")


def _trainings(api: CheckedClient, search: Search) -> None:
    scored = search.candidates.networks().filter(status="scored").values_list("pk", flat=True)[:2]
    made = api.send("post", "trainings/", {"candidates": list(scored), "epochs": 1}, status=201)
    api.send("get", "trainings/")
    api.send("post", f"trainings/{made[0]['id']}/cancel/")
    api.send("post", f"trainings/{made[0]['id']}/resume/")
    for row in made:
        training_runs.train(row["id"])
        assert api.send("get", f"trainings/{row['id']}/")["status"] == "finished"
    assert api.send("get", f"searches/{search.pk}/trained/")
    api.send("get", f"searches/{search.pk}/trust/")
    api.send("delete", f"trainings/{made[1]['id']}/", status=204)


def _mote(api: CheckedClient, user: Any) -> None:
    """A search by MOTE as rows alone: calibrated, with the parts of a score."""
    search = make_search(user)
    numbers = itertools.count(1)
    made = make_candidates(search, [{"score": float(next(numbers)), "madds_m": 1.0, "layer": 0} for _ in range(3)])
    parts = {"landscape": 1.5, "speed": -2.0, "time_seconds": 0.5, "train_seconds": 0.4}
    words = {"profile": "fast", "time_model": "flops", "epoch_losses": [2.0, 1.0], "landscape_losses": [2.5]}
    MoteScore.objects.create(evaluation=made[0].evaluation, **parts, **words)
    numbers_of_term = {"lam": 0.5, "std": 1.0}
    constants = {"landscape": numbers_of_term, "speed": numbers_of_term}
    Calibration.objects.create(search=search, round=0, networks=100, constants=constants)
    assert api.send("get", f"candidates/{made[0].pk}/")["mote"]
    assert api.send("get", f"searches/{search.pk}/")["calibrations"]


def _latencies(api: CheckedClient) -> None:
    asked = {"space": SPACE, "input": {"height": 8, "width": 8}, "measurement": QUICK}
    row = api.send("post", "latency-tables/", asked, status=201)
    api.send("post", f"latency-tables/{row['id']}/cancel/")
    row = api.send("post", "latency-tables/", asked | {"dataset": {"kind": "digits"}, "input": None}, status=201)
    measuring.measure("table", row["id"])
    assert api.send("get", f"latency-tables/{row['id']}/")["status"] == LatencyTable.Status.READY
    uploaded = {"file": file(api.send("get", f"latency-tables/{row['id']}/download/").content, "device.csv")}
    api.send("post", "latency-tables/", uploaded, form=True, status=201)
    api.send("get", "latency-tables/")
    api.send("delete", f"latency-tables/{row['id']}/", status=204)


def _studies(api: CheckedClient, table: int) -> None:
    proxies = [{"estimator": {"kind": "proxy", "name": name}} for name in ("params", "madds")]
    truth = {"kind": "table", "table": table, "reward": "truth"}
    config = {"space": SPACE, "dataset": {"kind": "digits"}, "arms": proxies, "truth": truth, "networks": 12}
    api.send("post", "studies/forecast/", config)
    number = api.send("post", "studies/", config, status=201)["id"]
    api.send("get", f"studies/{number}/results/")
    for search in Search.objects.filter(study=number):
        drive(search)
        api.send("get", f"searches/{search.pk}/trust/")
    assert api.send("get", f"studies/{number}/results/")["truth_known"] == 12
    api.send("get", f"studies/{number}/")
    api.send("get", "studies/")
    begun = api.send("post", "studies/", config | {"seed": 1}, status=201)["id"]
    api.send("post", f"studies/{begun}/cancel/")
    api.send("delete", f"studies/{begun}/", status=204)


def _benchmarks(api: CheckedClient, home: Path) -> None:
    write_nats(home / "benchmarks" / OFFICIAL, ["8:8:8:8:64"], {"12": 12}, seeds=(777,))
    api.send("post", "benchmarks/nats_sss/", status=202)
    api.send("get", "benchmarks/")
    api.send("delete", "benchmarks/nats_sss/", status=204)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: answer.pop("evaluated"), "'evaluated' is a required property"),
        (lambda answer: answer.update(unheard=1), "'unheard' was unexpected"),
        (lambda answer: answer.update(asked="many"), "'many' is not of type 'integer'"),
        (lambda answer: answer.update(status="sleeping"), "'sleeping' is not one of"),
        (lambda answer: answer["budget"].update(unheard=1), "'unheard' was unexpected"),
        (lambda answer: answer["config"]["objective"].update(hi="low"), "$.config.objective.hi: "),
        (lambda answer: answer["config"]["space"].update(unheard=1), "$.config.space: "),
    ],
)
def test_an_answer_that_differs_is_noticed(
    api: CheckedClient, document: dict[str, Any], spoil: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    search = make_search(api.client.handler._force_user)
    answer = api.send("get", f"searches/{search.pk}/")
    assert api.faults == []
    spoil(answer)
    schema = {"$ref": "#/components/schemas/SearchDetail"}
    assert any(reason in line for line in complaints(document, schema, answer))
