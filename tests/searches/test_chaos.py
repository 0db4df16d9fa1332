"""Workers and brokers killed during a search: the candidates and scores are those of an undisturbed search."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from django.db import connection

from engine.config.training import TrainingConfig
from nasweb.benchmarks.house import kill
from nasweb.embedded import broker as embedded_broker
from nasweb.embedded.places import broker_socket, broker_url
from searches.models import Evaluation, Search, Training, Worker
from searches.services import control, trainings
from searches.services.losses import OUT_OF_MEMORY
from tests.conftest import ROOT
from tests.searches.driving import outcomes, start, training_config

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
LEASE = 3.0
PATIENCE = 180.0
WITH_TORCH = 250.0  # resident megabytes of a process that has imported torch
WORKER = [
    "celery",
    "-A",
    "nasweb",
    "worker",
    "--queues",
    "advance,score,train",
    "--concurrency",
    "2",
    "--loglevel",
    "WARNING",
]


class House:
    """A broker, a worker of two processes and a sweeper on the tests' database."""

    def __init__(self, home: Path, lease: float = LEASE) -> None:
        self.home = home
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "nasweb.settings",
            "NASWEB_HOME": str(home),
            "DATABASE_URL": database_url(),
            "REDIS_URL": broker_url(home),
            "SECRET_KEY": "for tests only, for tests only, for tests only, for tests",
            "ALLOWED_HOSTS": "testserver",
            "NASWEB_LEASE_SECONDS": str(lease),
        }

    def start(self, *names: str) -> None:
        """Start services; the broker answers when this returns."""
        commands = {
            "broker": embedded_broker.command(self.home),
            "worker": [sys.executable, "-m", *WORKER, "--without-gossip", "--without-mingle"],
            "sweeper": [sys.executable, "manage.py", "sweep", "--interval", "0.5"],
        }
        for name in names:
            log = (self.home / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                commands[name], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
            if name == "broker":
                assert embedded_broker.wait_ready(self.home, lambda: self.processes["broker"].poll() is None)

    def kill(self, name: str) -> None:
        """Send SIGKILL to a service and all its children."""
        kill(self.processes.pop(name))

    def flush(self) -> None:
        """Delete all messages of the broker."""
        with redis.Redis(unix_socket_path=str(broker_socket(self.home))) as client:
            client.flushall()


def database_url() -> str:
    """Return the address of the tests' database, for other processes."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture(scope="module")
def house(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Running broker, worker and sweeper, killed at the end; shared, because a start imports torch and takes long."""
    house = House(tmp_path_factory.mktemp("house"))
    try:
        house.start("broker", "worker", "sweeper")
        yield house
    finally:
        for name in list(house.processes):
            house.kill(name)


def until(condition: Callable[[], bool], what: str, house: House) -> None:
    """Wait for a condition, or fail with the logs."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text()[-3_000:] for path in house.home.glob("*.log"))
            pytest.fail(f"{what} did not happen in {PATIENCE:g} s\n{logs}")
        time.sleep(0.05)


def scored(search: Search, count: int) -> Callable[[], bool]:
    """Return a condition: ``count`` candidates have a score and another one is being scored."""

    def reached() -> bool:
        search.refresh_from_db()
        at_work = search.candidates.filter(status="leased").exists()
        return (search.scored >= count and at_work) or not search.is_active

    return reached


def ended(search: Search) -> Callable[[], bool]:
    """Return a condition: the search has ended."""

    def reached() -> bool:
        search.refresh_from_db()
        return not search.is_active

    return reached


def test_killed_workers_and_brokers_change_no_candidate_and_no_score(house: House) -> None:
    undisturbed = start(training_config())
    until(ended(undisturbed), "the end of the undisturbed search", house)
    expected = outcomes(undisturbed)
    assert (undisturbed.status, undisturbed.scored) == (Search.Status.FINISHED, 16)
    control.delete(undisturbed)
    Evaluation.objects.all().delete()

    search = start(training_config(), undisturbed.owner)
    until(scored(search, 3), "the first scores", house)
    house.kill("worker")
    assert search.is_active
    house.start("worker")
    until(scored(search, 6), "scores after the worker was killed", house)
    house.flush()
    until(scored(search, 9), "scores after the messages were lost", house)
    house.kill("broker")
    house.start("broker")
    until(ended(search), "the end of the disturbed search", house)
    assert outcomes(search) == expected
    assert search.status_reason == "budget of 16 evaluations spent"
    assert list(search.events.values_list("seq", flat=True)) == list(range(1, search.event_seq + 1))
    assert not Evaluation.objects.exclude(status="done").exists()


def test_a_process_that_dies_is_missed_at_once(house: House, tmp_path: Path) -> None:
    house.kill("worker")
    house.kill("sweeper")  # otherwise it would dispatch the work again
    patient = House(tmp_path, lease=10 * PATIENCE)
    try:
        patient.start("broker", "worker", "sweeper")
        estimator = {"kind": "short_training", "epochs": 40, "batch_size": 64}
        search = start(training_config(estimator=estimator, budget={"evaluations": 3}))
        until(Worker.objects.filter(search=search).exists, "a worker at work", patient)
        os.kill(Worker.objects.filter(search=search).first().pid, signal.SIGKILL)
        until(ended(search), "the end of the search", patient)
    finally:
        for name in list(patient.processes):
            patient.kill(name)
        house.start("worker", "sweeper")
    assert (search.scored, Evaluation.objects.filter(attempts=2).count()) == (3, 1)
    (told,) = search.events.filter(message__contains="was lost")
    assert told.message.endswith(f"was lost: {OUT_OF_MEMORY}; the network is dispatched again")


def test_a_cancel_ends_a_training_within_seconds(house: House) -> None:
    warm = start(training_config(seed=2))
    until(ended(warm), "the end of a first search", house)
    estimator = {"kind": "short_training", "epochs": 200, "batch_size": 64}
    search = start(training_config(estimator=estimator))
    at_work = Worker.objects.filter(search=search)
    until(at_work.exists, "a worker at work", house)
    worker = at_work.first()
    assert worker.current in search.candidates.values_list("arch", flat=True)
    assert worker.memory_mb > WITH_TORCH
    assert psutil.Process(worker.pid).ppid() == house.processes["worker"].pid
    control.cancel(search)
    leased = Evaluation.objects.filter(status="leased")
    until(lambda: not leased.exists(), "the end of the training", house)
    assert search.candidates.filter(status="scored").count() == 0


def test_a_killed_worker_s_full_training_goes_on_from_its_checkpoint(house: House) -> None:
    search = start(training_config(budget={"evaluations": 1}))
    until(ended(search), "the end of the search", house)
    config = TrainingConfig(epochs=12, batch_size=16)
    names = ("train_losses", "valid_accuracies", "best_epoch", "valid_accuracy", "test_accuracy")

    def trained(kill_at: int | None) -> Training:
        (training,) = trainings.create(search.owner, [search.candidates.get()], config)

        def reached(epoch: int) -> bool:
            training.refresh_from_db()
            return training.epoch >= epoch or training.status not in Training.ACTIVE

        if kill_at is not None:
            until(lambda: reached(kill_at), "the first epochs", house)
            house.kill("worker")
            assert training.status == "running"
            house.start("worker")
        until(lambda: reached(99), "the end of the training", house)
        assert training.status == "finished", training.error
        return training

    undisturbed = trained(None)
    trainings.delete(undisturbed)
    disturbed = trained(kill_at=3)
    assert disturbed.attempts == 2
    assert [getattr(disturbed, name) for name in names] == [getattr(undisturbed, name) for name in names]


def test_the_sweeper_ends_when_it_is_told_to(house: House) -> None:
    house.processes["sweeper"].send_signal(signal.SIGTERM)
    assert house.processes["sweeper"].wait(20) == 0
