"""Full trainings through API, services and worker: real networks on digits, short."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from searches.models import Candidate, Search, Training, Worker
from searches.selectors import trainings as selector
from searches.services import control, training_runs, trainings
from searches.services.errors import ActionRefused
from searches.services.heartbeat import heartbeat
from searches.services.sweeping import sweep
from tests.engine.pictures import class_files, write_folder
from tests.searches.clients import API, assert_private, client_of
from tests.searches.driving import drive, start, table_config, training_config, write_table

pytestmark = pytest.mark.django_db
BODY = {"recipe": "quick", "epochs": 3}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_HOME = tmp_path


@pytest.fixture
def search() -> Search:
    """A finished search of six networks on digits."""
    return drive(start(training_config(budget={"evaluations": 6}, algorithm={"kind": "random"})))


def asked(of: Search, **changes: Any) -> list[dict[str, Any]]:
    """Return trainings created through the API."""
    answer = client_of(of.owner).post(API + "trainings/", {**BODY, **changes}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def ids(search: Search, count: int) -> list[int]:
    return list(search.candidates.order_by("number").values_list("pk", flat=True)[:count])


def shown(search: Search, training: int) -> dict[str, Any]:
    return client_of(search.owner).get(f"{API}trainings/{training}/").json()


def test_candidates_are_trained_and_compared_with_their_estimates(search: Search) -> None:
    client = client_of(search.owner)
    made = asked(search, candidates=ids(search, 3))
    assert [row["status"] for row in made] == ["queued"] * 3
    assert made[0]["described"] == "Quick recipe, shortened: 3 of 20 epochs"
    for row in made:
        training_runs.train(row["id"])
    first = shown(search, made[0]["id"])
    assert (first["status"], first["progress"], first["epoch"]) == ("finished", 1.0, 3)
    assert len(first["train_losses"]) == len(first["valid_accuracies"]) == 3
    assert first["valid_accuracy"] == max(first["valid_accuracies"])
    assert 0 < first["test_accuracy"] <= 100
    assert first["device"]
    assert (Training.objects.get(pk=first["id"]).folder / "weights.pt").is_file()

    candidate = client.get(f"{API}candidates/{made[0]['candidate']['id']}/").json()
    assert candidate["trained_valid_accuracy"] == first["valid_accuracy"]
    assert candidate["test_accuracy"] == candidate["trained_test_accuracy"] == first["test_accuracy"]
    points = client.get(f"{API}searches/{search.pk}/points/").json()["columns"]
    assert sum(value is not None for value in points["trained_valid_accuracy"]) == 3
    events = client.get(f"{API}searches/{search.pk}/events/").json()["results"]
    assert any("was trained in full: validation accuracy" in event["message"] for event in events)

    (group,) = client.get(f"{API}searches/{search.pk}/trained/").json()
    assert (group["pairs"], len(group["trainings"])) == (3, 3)
    expected = {
        frozenset((a["number"], b["number"]))
        for a in group["trainings"]
        for b in group["trainings"]
        if a["score"] > b["score"] and a["valid_accuracy"] < b["valid_accuracy"]
    }
    found = {frozenset((pair["better"]["number"], pair["worse"]["number"])) for pair in group["inversions"]}
    assert found == expected
    assert group["inverted"] == len(expected)


def test_the_front_and_the_buckets_can_be_chosen() -> None:
    search = drive(start(training_config(budget={"evaluations": 8})))
    front = asked(search, search=search.pk, select="front")
    numbers = [row["candidate"]["number"] for row in front]
    shown_front = client_of(search.owner).get(f"{API}searches/{search.pk}/pareto/").json()["front"]
    assert numbers == sorted(point["number"] for point in shown_front)
    again = asked(search, search=search.pk, select="front")
    assert [row["id"] for row in again] == [row["id"] for row in front]
    kept = {bucket.residents[0][0] for bucket in search.buckets.all() if bucket.residents}
    buckets = asked(search, search=search.pk, select="buckets", seed=1)
    assert {row["candidate"]["number"] for row in buckets} == kept


def test_bad_requests_name_their_fields(search: Search, tmp_path: Path) -> None:
    client = client_of(search.owner)

    def refused(body: dict[str, Any]) -> tuple[int, str]:
        answer = client.post(API + "trainings/", body, format="json")
        return answer.status_code, answer.json()["detail"]

    assert refused({"candidates": [1], "search": search.pk})[0] == 400
    assert refused({"candidates": [10**9]}) == (400, "candidates: You have no candidate 1000000000.")
    assert refused({"candidates": ids(search, 1), "epochs": 0}) == (
        400,
        "epochs: Give 1 or more.",
    )
    assert refused({"candidates": ids(search, 1), "reciep": "quick"})[1].startswith("reciep: There is no such field")
    assert refused({"search": search.pk, "select": "buckets"}) == (
        409,
        "The search keeps no networks in buckets; choose the front instead.",
    )
    folder = {"kind": "folders", "path": str(tmp_path)}
    assert "Folders of the server are not read" in refused({"candidates": ids(search, 1), "dataset": folder})[1]
    table = drive(start(table_config(write_table(tmp_path)), search.owner))
    assert "name the images to train on" in refused({"candidates": ids(table, 1)})[1]
    (made,) = asked(table, candidates=ids(table, 1), dataset={"kind": "digits"}, epochs=1)
    training_runs.train(made["id"])
    assert shown(table, made["id"])["test_accuracy"] is not None
    assert_private(f"trainings/{made['id']}/")
    assert_private(f"searches/{search.pk}/trained/")


def test_a_lost_training_goes_on_from_its_checkpoint(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = asked(search, candidates=ids(search, 1))
    disturbed = None
    training_runs.train(undisturbed[0]["id"])
    expected = shown(search, undisturbed[0]["id"])
    trainings.delete(Training.objects.get(pk=undisturbed[0]["id"]))
    (disturbed,) = asked(search, candidates=ids(search, 1))

    class Killed(BaseException):
        """An end like that by SIGKILL: no clean-up runs."""

    def killed(training: Training) -> Any:
        def tell(progress: Any) -> None:
            if progress.epoch == 2:
                raise Killed

        return tell

    with monkeypatch.context() as patch:
        patch.setattr(training_runs, "teller", killed)
        with pytest.raises(Killed):
            training_runs.train(disturbed["id"])
    row = Training.objects.get(pk=disturbed["id"])
    assert row.status == "running"
    training_runs.train(row.pk)
    assert Training.objects.get(pk=row.pk).attempts == 1
    Training.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    assert Training.objects.get(pk=row.pk).status == "queued"
    training_runs.train(row.pk)
    found = shown(search, row.pk)
    names = ("status", "valid_accuracies", "train_losses", "test_accuracy", "best_epoch")
    assert [found[name] for name in names] == [expected[name] for name in names]
    for _ in range(training_runs.MOST_LOST):
        Training.objects.filter(pk=row.pk).update(status="running", lease_until=timezone.now() - timedelta(seconds=1))
        sweep()
    assert shown(search, row.pk)["error"] == training_runs.LOST


def test_searches_go_first_on_a_lone_worker(search: Search) -> None:
    (made,) = asked(search, candidates=ids(search, 1), epochs=20)
    other = start(training_config(seed=5), search.owner)
    training_runs.train(made["id"])
    found = shown(search, made["id"])
    assert (found["status"], found["waiting"]) == ("queued", training_runs.SEARCHES_FIRST)
    Worker.objects.create(name="b", host="b", pid=1, seen_at=timezone.now())
    Worker.objects.create(name="c", host="b", pid=2, seen_at=timezone.now())
    assert training_runs.room() == (1, "")
    Worker.objects.all().delete()
    control.cancel(other)
    training = training_runs.lease(made["id"])
    assert training is not None
    assert training_runs.room() == (0, training_runs.QUEUE)
    stop = training_runs.stopper(training)
    assert not stop()
    start(training_config(seed=6), search.owner)
    pause = training_runs.PAUSE
    training_runs.PAUSE = 0.0
    try:
        assert stop()
    finally:
        training_runs.PAUSE = pause
    training_runs.release(training)
    assert shown(search, made["id"])["status"] == "queued"


def test_cancel_resume_and_delete(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(search.owner)
    (made,) = asked(search, candidates=ids(search, 1))
    monkeypatch.setattr(training_runs, "PAUSE", 0.0)
    teller = training_runs.teller

    def cancelled(training: Training) -> Any:
        tell = teller(training)

        def told(progress: Any) -> None:
            tell(progress)
            if progress.epoch == 1:
                Training.objects.filter(pk=training.pk, status="running").update(status="cancelled")

        return told

    with monkeypatch.context() as patch:
        patch.setattr(training_runs, "teller", cancelled)
        training_runs.train(made["id"])
    found = shown(search, made["id"])
    assert (found["status"], found["epoch"], found["actions"]) == ("cancelled", 1, ["resume", "delete"])
    assert client.post(f"{API}trainings/{made['id']}/cancel/").status_code == 409
    assert client.post(f"{API}trainings/{made['id']}/resume/").json()["status"] == "queued"
    training_runs.train(made["id"])
    assert shown(search, made["id"])["status"] == "finished"
    training = Training.objects.get(pk=made["id"])
    assert training.folder.is_dir()
    trainings.delete(training)
    assert Candidate.objects.get(pk=ids(search, 1)[0]).trained_valid_accuracy is None


def test_a_training_whose_search_goes_in_its_last_second_leaves_nothing(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = asked(search, candidates=ids(search, 1))
    folder = Training.objects.get(pk=made["id"]).folder

    def told(progress: Any) -> None:
        if progress.epoch == BODY["epochs"] and Search.objects.exists():
            control.delete(search)

    monkeypatch.setattr(training_runs, "teller", lambda _: told)
    training_runs.train(made["id"])
    assert not Search.objects.exists()
    assert not folder.exists()


def test_a_failure_is_told_in_words(search: Search) -> None:
    (made,) = asked(search, candidates=ids(search, 1))
    Training.objects.filter(pk=made["id"]).update(data_info={**search.data_info, "content_hash": "other"})
    training_runs.train(made["id"])
    found = shown(search, made["id"])
    assert found["status"] == "failed"
    assert "the images are not those" in found["error"]
    with pytest.raises(ActionRefused, match="A training that is failed cannot be cancelled"):
        trainings.cancel(Training.objects.get(pk=made["id"]))
    assert selector.groups(search) == []
    assert heartbeat()._held is None


def test_other_images_can_be_trained_on_and_stay_apart(search: Search, tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_EMBEDDED = True  # folders of this machine are for local use
    tree = write_folder(tmp_path / "tree", class_files("train/", count=12) | class_files("val/", count=2))
    options = {"kind": "folders", "path": str(tree), "resolution": 16}
    (made,) = asked(search, candidates=ids(search, 1), dataset=options, epochs=1, batch_size=8)
    training_runs.train(made["id"])
    found = shown(search, made["id"])
    assert (found["status"], found["data"], found["augmentation"]) == ("finished", "Folder tree", "none")
    assert found["test_accuracy"] in (0, 25, 50, 75, 100)
    client = client_of(search.owner)
    candidate = f"{API}candidates/{made['candidate']['id']}/"
    assert client.get(candidate).json()["trained_valid_accuracy"] is None
    own = json.loads(client.get(f"{candidate}download/?format=json").content)
    assert own["network"]["weights"]["trained"] is False
    other = json.loads(client.get(f"{candidate}download/?format=json&training={made['id']}").content)
    assert other["network"]["weights"]["trained"] is True
    assert other["network"]["input"]["shape"] == ["batch", 3, 16, 16]
    assert other["network"]["class_names"] == ["a", "b"]
    older, newer = asked(search, candidates=ids(search, 2), dataset=options, recipe="layernas")
    rows = Training.objects.filter(pk__in=(older["id"], newer["id"]))
    rows.update(status="finished", valid_accuracy=50.0)
    rows.filter(pk=older["id"]).update(augmentation="")
    told = {
        g["trainings"][0]["training"]: g["described"] for g in client.get(f"{API}searches/{search.pk}/trained/").json()
    }
    assert set(told) == {made["id"], older["id"], newer["id"]}, "what may not be alike is not compared"
    assert told[older["id"]] == f"{told[newer['id']]}, augmentation not recorded"
    assert shown(search, newer["id"])["augmentation"].startswith("random flips, random parts of 8 to 100 %")
