"""A database of an earlier build opens, shows the same, and its paused search goes on to the same end.

`kept/c4ce12a.zip` was made by `kept/make.py` with the build of commit c4ce12a (version 0.1.0, last migration 0014): two
finished searches (LayerNAS with MOTE on digits, and an uploaded table with a final estimate), a paused search whose
scores are the same on every machine (a counting proxy, a table for the finalists), a search with full trainings, and
a study. Left out are the files that come from other files: exports, logs and the browser's session.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from django.conf import settings as present
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from searches.models import Candidate, Search, Study, Training
from searches.services import algorithm_state, control
from tests.searches.driving import drive
from tests.searches.kept import answers

ARCHIVE = Path(__file__).parent / "kept" / "c4ce12a.zip"
WORDING = {
    "augmentation",
    "chosen_by",
    "described",
    "description",
    "sentence",
    "source",
    "waiting",
    "warnings",
    "words",
}
"""Fields whose sentences the present build writes, so that they may be worded better than in the kept answers."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any) -> Iterator[Path]:
    """The kept home with its database open and migrated, in place of the tests' own."""
    if connection.vendor != "sqlite":
        pytest.skip("the kept database is a SQLite file: run this without NASWEB_TEST_SERVERS")
    folder = tmp_path_factory.mktemp("kept")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    own = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), override_settings(NASWEB_HOME=folder):
        connection.close()
        connection.settings_dict["NAME"] = str(folder / "nasweb.sqlite3")
        try:
            applied = MigrationRecorder(connection).applied_migrations()
            assert max(name for app, name in applied if app == "searches") == "0014_exact_sizes"
            call_command("migrate", verbosity=0)
            yield folder
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own


def changes(kept: Any, found: Any, place: str = "", worded: bool = False) -> list[str]:
    """Return where an answer lacks or changes what was shown.

    Further fields are no change, nor are the last bits of numbers, which other processors sum in another order.
    ``worded`` says that sentences may differ, too.
    """
    kept = by_field(kept, place)
    found = by_field(found, place)
    if isinstance(kept, dict) and isinstance(found, dict):
        missing = [f"{place}.{name} is missing" for name in kept.keys() - found.keys()]
        return missing + [
            change
            for name in kept.keys() & found.keys()
            for change in changes(kept[name], found[name], f"{place}.{name}", name in WORDING)
        ]
    if isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        pairs = enumerate(zip(kept, found, strict=True))
        return [change for at, pair in pairs for change in changes(*pair, f"{place}[{at}]", worded)]
    if isinstance(kept, float) and isinstance(found, float) and math.isclose(kept, found, rel_tol=1e-12):
        return []
    if worded and is_sentence(kept) and is_sentence(found):
        return []
    return [] if kept == found and type(kept) is type(found) else [f"{place}: {found!r} instead of {kept!r}"]


def by_field(value: Any, place: str) -> Any:
    """Return a YAML document and a list of settings as mappings, in which new options are further fields."""
    if place.endswith(".yaml"):
        return yaml.safe_load(value)
    if place.endswith(".settings"):
        return {row["path"]: row["values"] for row in value}
    return value


def is_sentence(value: Any) -> bool:
    return isinstance(value, str) and " " in value


def test_what_counts_as_a_change() -> None:
    kept = {"score": 1.0, "rows": [{"id": 1, "sentence": "It is so."}], "source": "table"}
    assert changes(kept, kept | {"new": 1}) == []
    assert changes(kept, kept | {"rows": [{"id": 1, "sentence": "It is like this."}]}) == []
    assert changes({"warnings": ["Do not."]}, {"warnings": ["Better not."]}) == []
    assert changes({"warnings": ["Do not."]}, {"warnings": []}) != []
    assert changes({"yaml": "a: 1"}, {"yaml": "a: 1\nb: 2"}) == []
    assert changes({"yaml": "a: 1"}, {"yaml": "a: 2"}) == [".yaml.a: 2 instead of 1"]
    settings = [{"path": "seed", "values": [1, 2]}]
    assert changes({"settings": settings}, {"settings": [{"path": "new", "values": [0, 1]}, *settings]}) == []
    assert changes({"settings": settings}, {"settings": [{"path": "new", "values": [0, 1]}]}) != []
    assert changes(kept, {"score": 1.0, "rows": kept["rows"]}) == [".source is missing"]
    assert changes(kept, kept | {"score": 1.00001}) == [".score: 1.00001 instead of 1.0"]
    assert changes(kept, kept | {"score": 1}) == [".score: 1 instead of 1.0"]
    assert changes(kept, kept | {"source": "tables"}) == [".source: 'tables' instead of 'table'"]
    assert len(changes(kept, kept | {"rows": []})) == 1
    assert changes(kept, kept | {"rows": [{"id": 2, "sentence": ""}]}) != []


def test_every_answer_is_the_same(home: Path) -> None:
    kept = json.loads((home / "shown.json").read_text())
    found = answers.shown()
    assert list(found) == list(kept)
    assert len(kept) > 100
    assert [change for address in kept for change in changes(kept[address], found[address], address)] == []


def test_every_page_opens(home: Path) -> None:
    client = Client()
    client.force_login(Search.objects.earliest("id").owner)
    pages = ["/", "/trainings/", "/studies/", "/tables/", "/spaces/", "/datasets/", "/latency/"]
    pages += [f"/searches/{search.pk}/" for search in Search.objects.all()]
    pages += [f"/candidates/{search.best_id}/" for search in Search.objects.exclude(best=None)]
    pages += [f"/trainings/{training.pk}/" for training in Training.objects.all()]
    pages += [f"/studies/{study.pk}/" for study in Study.objects.all()]
    assert {page: status for page in pages if (status := client.get(page).status_code) != 200} == {}


def test_trained_weights_are_downloaded(home: Path) -> None:
    training = Training.objects.filter(status=Training.Status.FINISHED).earliest("id")
    address = f"candidates/{training.candidate_id}/download/?format=pt&training={training.pk}"
    sent = answers.client(training.candidate.search.owner).get(answers.API + address)
    assert sent.status_code == 200, sent.content
    weights = torch.load(io.BytesIO(sent.content), weights_only=True)
    kept = torch.load(training.folder / "weights.pt", weights_only=True)
    assert Path(present.NASWEB_HOME) in training.folder.parents
    assert kept.keys() <= weights.keys()
    assert all(torch.equal(value, weights[name]) for name, value in kept.items())


def test_the_paused_search_reaches_the_same_end(home: Path) -> None:
    search = Search.objects.get(status=Search.Status.PAUSED)
    kept = json.loads((home / "end.json").read_text())
    assert search.candidates.filter(status=Candidate.Status.PROPOSED).exists()
    assert 0 < search.asked < kept["counts"][0]
    algorithm_state.forget(search.pk)
    control.resume(search)
    assert answers.end(drive(search)) == kept
    assert search.finals == kept["counts"][2] > 0
