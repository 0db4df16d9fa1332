"""Downloads made in a separate process: prepared, kept, refused with a reason; the whole front in one zip."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from searches.models import Candidate, Training
from searches.services import export_files, training_runs
from tests.searches.clients import API, assert_private, client_of
from tests.searches.driving import drive, start, training_config
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_HOME = tmp_path


def test_trained_weights_are_in_the_download_and_in_the_fronts_zip(tmp_path: Path) -> None:
    search = drive(start(training_config(budget={"evaluations": 3})))
    client = client_of(search.owner)
    first = search.candidates.order_by("number").first()
    body = {"candidates": [first.pk], "epochs": 1}
    (made,) = client.post(API + "trainings/", body, format="json").json()
    training_runs.train(made["id"])
    training = Training.objects.get(pk=made["id"])
    reply = client.get(f"{API}candidates/{first.pk}/download/?format=pt")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="nasweb-training-0.pt"'
    sent = torch.load(io.BytesIO(reply.content), weights_only=True)
    kept = torch.load(training.folder / "weights.pt", weights_only=True)
    assert all(torch.equal(value, sent[name]) for name, value in kept.items())
    initial = torch.load(
        io.BytesIO(client.get(f"{API}candidates/{first.pk}/download/?format=pt&training=initial").content),
        weights_only=True,
    )
    assert not all(torch.equal(value, initial[name]) for name, value in kept.items())
    refused = client.get(f"{API}candidates/{first.pk}/download/?format=pt&training=999")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Candidate 0 has no finished training 999.")

    front = client.get(f"{API}searches/{search.pk}/pareto/").json()["front"]
    address = f"{API}searches/{search.pk}/front/download/"
    begun = client.post(address)
    assert (begun.status_code, begun.json()["of"]) == (202, len(front))
    archive = zipfile.ZipFile(io.BytesIO(client.get(address).content))
    assert client.post(address).json()["status"] == "ready"
    rows = list(csv.DictReader(io.StringIO(archive.read("nasweb-training-front/front.csv").decode())))
    assert [int(row["number"]) for row in rows] == [point["number"] for point in front]
    folders = {name.split("/")[1] for name in archive.namelist() if name.count("/") == 2}
    assert folders == {f"nasweb-training-{point['number']}" for point in front}
    for row in rows:
        name = f"nasweb-training-front/nasweb-training-{row['number']}/verification.json"
        weights = json.loads(archive.read(name))["weights"]
        trained = int(row["number"]) == first.number
        assert weights["trained"] is trained
        assert weights.get("test_accuracy") == (training.test_accuracy if trained else None)
    assert_private(f"searches/{search.pk}/front/download/")


def test_a_file_is_made_once_and_refusals_come_in_words() -> None:
    owner = make_user()
    search = make_search(owner)
    row = {"score": 1.5, "choices": [7] * 5, "arch": "8:8:8:8:8"}
    (candidate,) = make_candidates(search, [row])
    client = client_of(owner)
    address = f"{API}candidates/{candidate.pk}"
    begun = client.post(f"{address}/prepare/?format=json")
    assert (begun.status_code, begun.json()["status"]) == (202, "preparing")
    assert begun.json()["url"].endswith(f"/candidates/{candidate.pk}/download/?format=json")
    one, two = (client.get(begun.json()["url"]).content for _ in range(2))
    assert one == two
    assert json.loads(one)["architecture"]["string"] == "8:8:8:8:8"
    assert not list((Path(str(export_files._folder()))).glob("*.unfinished"))
    ready = client.post(f"{address}/prepare/?format=json").json()
    assert (ready["status"], ready["bytes"]) == ("ready", len(one))
    Candidate.objects.filter(pk=candidate.pk).update(score=2.5)
    assert json.loads(client.get(f"{address}/download/?format=json").content)["scores"]["score"] == 2.5
    refused = client.get(f"{address}/download/?format=py&form=backbone")
    assert refused.status_code == 409
    assert "images of 8x8 are too small" in refused.json()["detail"]
    assert client.get(f"{address}/download/?form=exe").json()["errors"][0]["field"] == "form"
    assert_private(f"candidates/{candidate.pk}/prepare/?format=json", "post")


def test_old_files_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make_user()
    rows = [{"score": 1.0, "choices": [7] * 5, "arch": "8:8:8:8:8"} for _ in range(2)]
    one, two = make_candidates(make_search(owner), rows)
    client = client_of(owner)
    monkeypatch.setattr(export_files, "KEPT_BYTES", 10)
    for candidate in (one, two):
        assert client.get(f"{API}candidates/{candidate.pk}/download/?format=py").status_code == 200
    kept = [path for path in (tmp_path / "exports").iterdir() if not path.suffix]
    assert len(kept) == 1
