"""Makes the kept database. Run it from the root of a checkout of the build whose rows are to be kept.

The home must be an empty folder, and the checkout must not be changed meanwhile::

    NASWEB_HOME=/tmp/kept python PATH/make.py /tmp/kept.zip

The zip holds the database (``nasweb.sqlite3``), the uploaded table, the weights and the checkpoints of the full
trainings, what the build shows for them (``shown.json``), and the end that the paused search reaches when the same
build resumes a copy of it in another process (``end.json``). This process does the workers' tasks, as in the tests.
No broker runs, so the log says for every task that it was not sent.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
socket.gethostname = lambda: "maker"  # rows name the worker's machine

import django  # noqa: E402

django.setup()

from answers import API, client, end, shown  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from nasweb.local_owner import local_owner  # noqa: E402
from searches.models import Search, Training, Worker  # noqa: E402
from searches.services import advancing, control, promoting, scoring, sources  # noqa: E402
from tests.searches.driving import CHAIN, drive, waiting, write_table  # noqa: E402

SPACE = {"kind": "chain", "definition": CHAIN}
PAUSED = "paused"
FIRST = 5001
"""The first search's number. Test processes keep copies of searches by number, and theirs are small."""


def post(address: str, body: dict) -> dict | list:
    """Return the answer to a change that must succeed."""
    answer = http.post(API + address, body, format="json")
    assert answer.status_code in (200, 201), answer.content
    return json.loads(answer.content)


def made(**config: object) -> Search:
    """Return a new search of the tiny chain, made through the API."""
    return Search.objects.get(pk=post("searches/", {"space": SPACE, "round_size": 8, "seed": 1, **config})["id"])


def make() -> None:
    """Make all rows: four searches, one of them paused, one with full trainings, and a study of three arms."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'searches_search'")
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('searches_search', %s)", [FIRST - 1])
    table = write_table(Path(settings.NASWEB_HOME)).read_bytes()
    row = sources.add_table(local_owner(), "tiny chain", SimpleUploadedFile("tiny.csv", table))
    columns = {"kind": "table", "table": row.pk, "seconds": "seconds"}
    layernas = {"kind": "layernas", "buckets": 6, "replicas": 2}

    digits = made(
        name="MOTE on digits",
        dataset={"kind": "digits"},
        algorithm=layernas,
        estimator={"kind": "mote"},
        objective={"cost_metric": "madds_m"},
        budget={"evaluations": 24},
    )
    drive(digits)
    looked_up = made(
        name="own table",
        algorithm={"kind": "regularised_evolution", "population": 9},
        estimator={**columns, "reward": "score", "cost": "cost", "truth": "truth"},
        objective={"cost_metric": "table_cost", "lo": 2, "hi": 8},
        budget={"evaluations": 40},
        final={"estimator": {**columns, "reward": "cost", "seconds_factor": 3}, "count": 5},
    )
    drive(looked_up)
    paused = made(
        name=PAUSED,
        dataset={"kind": "digits"},
        algorithm=layernas,
        estimator={"kind": "proxy", "name": "madds"},
        objective={"cost_metric": "params_m", "constraints": [{"metric": "activation_mb", "hi": 0.01}]},
        budget={"evaluations": 50},
        final={"estimator": {**columns, "reward": "truth"}, "count": 6},
    )
    while paused.rounds < 2:
        advancing.advance(paused.pk)
        for pk in waiting(paused):
            scoring.score([pk], paused.pk)
        paused.refresh_from_db()
    advancing.advance(paused.pk)
    for pk in waiting(paused)[:3]:
        scoring.score([pk], paused.pk)
    control.pause(paused)
    advancing.advance(paused.pk)
    trained = made(
        name="with full trainings",
        dataset={"kind": "digits"},
        algorithm={"kind": "random"},
        estimator={"kind": "short_training", "epochs": 1, "batch_size": 256},
        objective={"cost_metric": "params_m"},
        budget={"evaluations": 8},
    )
    drive(trained)
    ids = list(trained.candidates.order_by("number").values_list("pk", flat=True))
    for training in post("trainings/", {"candidates": ids[:5], "recipe": "quick", "epochs": 2}):
        promoting.train(training["id"])
    (queued,) = post("trainings/", {"candidates": ids[5:6], "recipe": "nasbench201", "epochs": 4})
    assert Training.objects.get(pk=queued["id"]).status == "queued"

    arms = [{"estimator": {"kind": "proxy", "name": name}} for name in ("params", "madds")]
    truth = {**columns, "reward": "truth"}
    study = {"name": "counts", "space": SPACE, "dataset": {"kind": "digits"}, "arms": arms, "truth": truth}
    for search in Search.objects.filter(study=post("studies/", {**study, "networks": 20, "seed": 2})["id"]):
        drive(search)
    best = http.patch(
        f"{API}candidates/{digits.best_id}/", {"pinned": True, "note": "*kept*", "tags": ["a", "b"]}, "json"
    )
    hidden = http.patch(f"{API}candidates/{ids[-1]}/", {"hidden": True}, "json")
    described = http.patch(f"{API}searches/{digits.pk}/", {"note": "Made by **make.py**"}, "json")
    assert best.status_code == hidden.status_code == described.status_code == 200


def tidy() -> None:
    """Leave one database file, and neither this machine's processor nor a process."""
    Worker.objects.all().delete()
    with connection.cursor() as cursor:
        for name in ("evaluation", "training"):
            cursor.execute(f"UPDATE searches_{name} SET device = 'cpu' WHERE device <> ''")
            cursor.execute(f"UPDATE searches_{name} SET worker = 'maker:1' WHERE worker <> ''")
        cursor.execute("PRAGMA journal_mode=DELETE")
        cursor.execute("VACUUM")


def keep(target: Path) -> None:
    """Write the zip: the home as it is, the answers, and the end of a copy's paused search."""
    home = Path(settings.NASWEB_HOME)
    copy = home.with_name(home.name + "-resumed")
    shutil.copytree(home, copy)
    command = [sys.executable, __file__, "--resume"]
    resumed = subprocess.run(command, env=os.environ | {"NASWEB_HOME": str(copy)}, capture_output=True, check=True)
    files = [home / "nasweb.sqlite3", *(home / "tables").iterdir()]
    files += [path for path in (home / "trainings").rglob("*") if path.is_file()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            archive.write(path, path.relative_to(home))
        archive.writestr("shown.json", json.dumps(shown(), separators=(",", ":")))
        archive.writestr("end.json", resumed.stdout.decode())


if __name__ == "__main__":
    setup_test_environment()
    if sys.argv[1] == "--resume":
        search = Search.objects.get(name=PAUSED)
        control.resume(search)
        print(json.dumps(end(drive(search)), separators=(",", ":")))
    else:
        call_command("migrate", verbosity=0)
        http = client(local_owner())
        make()
        tidy()
        keep(Path(sys.argv[1]))
