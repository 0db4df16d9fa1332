"""`manage.py search`: create, list, status, stop, export."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from searches.models import Search
from searches.services import control
from tests.processes import ROOT, environment, until
from tests.searches.driving import drive, table_config, training_config, write_table
from tests.searches.factories import make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Any:
    """The local owner, who is the command's default owner."""
    return make_user("owner")


def search(*words: str) -> str:
    """Run a subcommand and return what it printed."""
    printed = io.StringIO()
    call_command("search", *words, stdout=printed, stderr=io.StringIO())
    return printed.getvalue()


def test_create_list_status_export(owner: Any, tmp_path: Path) -> None:
    """A table is found beside the file that names it, in whatever folder the command runs."""
    config = table_config(write_table(tmp_path)).as_dict()
    config["estimator"]["path"] = "table.csv"
    (tmp_path / "search.yaml").write_text(json.dumps(config))
    number = search("create", "-c", str(tmp_path / "search.yaml")).strip()
    made = Search.objects.get(pk=number)
    assert (made.owner, made.status) == (owner, "queued")

    drive(made)
    assert search("list") == f"{number}  table  finished  40/40 evaluated, best {made.best.score:.6g}\n"
    assert f"best: candidate {made.best.number}, {made.best.arch}, score" in search("status", number)

    path = tmp_path / "all.csv"
    assert search("export", number, "-o", str(path)).strip() == str(path)
    rows = list(csv.DictReader(path.open()))
    assert [int(row["number"]) for row in rows] == list(range(made.asked))
    search("export", number, "--format", "json", "-o", str(tmp_path / "all.json"))
    assert len(json.loads((tmp_path / "all.json").read_text())) == made.asked


def test_networks_are_the_best_s_or_a_named_one_s(owner: Any, tmp_path: Path) -> None:
    made = make_search(owner)
    small = {"choices": [7] * 5, "arch": "8:8:8:8:8", "score": 1.0}
    large = {"choices": [6] * 5, "arch": "16:16:16:16:16", "score": 2.0}
    first, second = make_candidates(made, [small, large])
    path = str(tmp_path / "model.py")
    with pytest.raises(CommandError, match="no best candidate yet"):
        search("export", str(made.pk), "--format", "py", "-o", path)
    made.best = second
    made.save()
    search("export", str(made.pk), "--format", "py", "-o", path)
    assert second.arch in Path(path).read_text()
    search("export", str(made.pk), "--format", "json", "--candidate", "0", "-o", path)
    assert json.loads(Path(path).read_text())["architecture"]["string"] == first.arch
    with pytest.raises(CommandError, match="images of 8x8 are too small"):
        search("export", str(made.pk), "--format", "py", "--form", "backbone", "-o", path)
    with pytest.raises(CommandError, match=r"no candidate 7; it has"):
        search("export", str(made.pk), "--format", "onnx", "--candidate", "7")
    with pytest.raises(CommandError, match="Cannot write"):
        search("export", str(made.pk), "-o", str(tmp_path / "no" / "such" / "folder.csv"))


def test_stop(owner: Any) -> None:
    made = make_search(owner)
    assert "finished" in search("stop", str(made.pk))
    made.refresh_from_db()
    assert made.status == Search.Status.FINISHED
    with pytest.raises(CommandError, match="finished"):
        search("stop", str(made.pk))


@pytest.mark.django_db(transaction=True)
def test_wait_tells_how_it_ended(owner: Any, tmp_path: Path) -> None:
    """The search is cancelled while the command waits."""

    def cancel() -> None:
        until(Search.objects.exists)
        control.cancel(Search.objects.get())
        connection.close()

    (tmp_path / "search.yaml").write_text(training_config().to_yaml())
    other = threading.Thread(target=cancel)
    other.start()
    with pytest.raises(CommandError, match="The search is cancelled: "):
        search("create", "-c", str(tmp_path / "search.yaml"), "--wait")
    other.join()


def test_complaints_name_fields_and_make_nothing(owner: Any, tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    path.write_text("space: {kind: nats_size}\nestimator: {kind: mote}\nround_size: 0\nbudget: {evaluations: -1}\n")
    with pytest.raises(CommandError) as caught:
        search("create", "-c", str(path))
    assert {line.partition(":")[0] for line in str(caught.value).splitlines()} >= {"round_size", "budget.evaluations"}
    path.write_text("space: [\n")
    with pytest.raises(CommandError, match="malformed at line 2"):
        search("create", "-c", str(path))
    with pytest.raises(CommandError, match=r"Cannot read .*No such file"):
        search("create", "-c", str(tmp_path / "none.yaml"))
    assert not Search.objects.exists()


def test_searches_of_others_are_not_found(owner: Any) -> None:
    other = make_search(make_user("other"))
    with pytest.raises(CommandError, match=f"owner has no search {other.pk}"):
        search("status", str(other.pk))
    assert search("list") == ""
    assert "running" in search("list", "--owner", "other")
    with pytest.raises(CommandError, match="no user 'nobody'"):
        search("list", "--owner", "nobody")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_is_closed_ends_it_quietly(tmp_path: Path, unbuffered: str) -> None:
    """The pipe is closed as by `| head`, during the output or after it."""
    variables = environment(tmp_path, PYTHONUNBUFFERED=unbuffered)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "manage.py", "help"]
    with open(writing, "wb") as pipe:
        done = subprocess.run(command, cwd=ROOT, env=variables, stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")
