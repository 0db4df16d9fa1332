"""Leases: one worker per network, tasks that lease together, no work lost with a worker."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from engine.errors import Stopped
from engine.estimate import Estimate
from searches.models import Candidate, Evaluation, Search, Worker
from searches.services import advancing, control, dispatching, losses, scoring
from searches.services.heartbeat import Heartbeat, heartbeat
from searches.services.sweeping import LOST, sweep
from tests.searches.driving import expire, start, training_config, waiting
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
GOOD = Estimate(0.5, {"valid_accuracy": 50.0}, seconds=1.5, device="cpu")


def test_a_lease_is_given_once(search: Search) -> None:
    first = waiting(search)[0]
    evaluation = scoring.lease(first)
    assert evaluation is not None
    assert (evaluation.status, evaluation.attempts) == ("leased", 1)
    assert evaluation.lease_until > timezone.now()
    assert scoring.lease(first) is None
    assert [c.status for c in search.candidates.all()] == ["leased", "proposed", "proposed"]


def test_an_expired_lease_is_handed_out_again(search: Search, leased: Evaluation) -> None:
    expire(leased)
    sweep()
    leased.refresh_from_db()
    assert (leased.status, leased.worker) == ("pending", "")
    assert leased.dispatched_at is not None
    assert search.candidates.get(number=0).status == "proposed"


def test_a_network_that_loses_three_workers_fails(search: Search) -> None:
    pk = waiting(search)[0]
    for attempt in range(1, 4):
        evaluation = scoring.lease(pk)
        assert evaluation.attempts == attempt
        expire(evaluation)
        sweep()
    candidate = search.candidates.get(number=0)
    assert (candidate.status, candidate.error) == ("failed", f"{LOST} (out of memory?)")
    told = [event.message for event in search.events.filter(message__endswith="dispatched again")]
    assert told == 2 * [f"#0 {candidate.arch}: {evaluation.worker} was lost; the network is dispatched again"]


def test_a_dead_process_s_leases_end_at_once_and_say_why(search: Search, leased: Evaluation) -> None:
    alive = scoring.lease(waiting(search)[0])
    dead = Worker.objects.create(name="dead", host=socket.gethostname(), pid=pid_of_nobody(), seen_at=timezone.now())
    heartbeat().beat()
    task = dispatching.SCORE, [[leased.pk, alive.pk], search.pk]
    losses.process_died(*task, "Worker exited prematurely: signal 6 (SIGABRT) Job: 4.")
    assert not Evaluation.objects.filter(error__gt="").exists()  # this living process holds both leases
    Evaluation.objects.filter(pk=leased.pk).update(worker=dead.name, attempts=3)
    losses.process_died(*task, "Worker exited prematurely: signal 6 (SIGABRT) Job: 4.")
    sweep()
    assert list(Worker.objects.values_list("name", flat=True)) == [heartbeat().name]
    error = f"{LOST}: its process crashed (SIGABRT)"
    for evaluation, expected in ((leased, ("failed", error)), (alive, ("leased", ""))):
        evaluation.refresh_from_db()
        assert (evaluation.status, evaluation.error) == expected


def test_the_reason_of_a_loss_ends_with_the_next_lease(search: Search, leased: Evaluation) -> None:
    Evaluation.objects.filter(pk=leased.pk).update(error=losses.OUT_OF_MEMORY)
    expire(leased)
    sweep()
    (told,) = search.events.filter(message__contains="was lost")
    assert losses.OUT_OF_MEMORY in told.message
    again = scoring.lease(leased.pk)
    assert again is not None
    leased.refresh_from_db()
    assert (again.error, leased.error) == ("", "")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Worker exited prematurely: signal 9 (SIGKILL) Job: 4.", losses.OUT_OF_MEMORY),
        ("Worker exited prematurely: signal 11 (SIGSEGV) Job: 4.", "its process crashed (SIGSEGV)"),
        ("Worker exited prematurely: exitcode 1 Job: 4.", "its process ended by itself"),
    ],
)
def test_the_end_of_a_process_in_words(problem: str, words: str) -> None:
    assert losses.in_words(problem) == words


def pid_of_nobody() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_heartbeat_renews_its_leases_and_says_what_the_process_does(search: Search, leased: Evaluation) -> None:
    other = scoring.lease(waiting(search)[0])
    both = Evaluation.objects.filter(status="leased")
    both.update(lease_until=timezone.now())
    beat = Heartbeat()
    with beat.holding([leased, other], search):
        beat.beat()
        assert both.filter(lease_until__gt=timezone.now() + timedelta(seconds=20)).count() == 2
        row = Worker.objects.get(name=beat.name)
        assert (row.current, row.search, row.pid) == (leased.arch, search, beat.pid)
        assert row.memory_mb > 10
    beat.beat()
    assert Worker.objects.get(name=beat.name).current == ""
    beat.stop()
    assert not Worker.objects.exists()


def test_a_lease_that_is_not_ours_any_more_is_not_renewed(search: Search, leased: Evaluation) -> None:
    expire(leased)
    again = scoring.lease(leased.pk)
    expire(again)
    with heartbeat().holding([leased], search):
        heartbeat().beat()
    again.refresh_from_db()
    assert again.lease_until < timezone.now()
    heartbeat().stop()


def test_stop_is_asked_for_once_nobody_wants_the_result(
    search: Search, leased: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(training_config(), make_user())
    advancing.advance(other.pk)
    monkeypatch.setattr(scoring, "STOP_PAUSE", 0.0)
    stop = scoring.stopper(leased)
    assert not stop()
    Search.objects.filter(pk=search.pk).update(status="cancelled")
    assert not stop(), "the other search still waits"
    Search.objects.filter(pk=other.pk).update(status="cancelled")
    assert stop()


def test_a_stopped_run_leaves_no_trace(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise Stopped("stopped")

    monkeypatch.setattr(scoring, "_estimate", stopped)
    pk = waiting(search)[0]
    scoring.score([pk], search.pk)
    evaluation = Evaluation.objects.get(pk=pk)
    assert (evaluation.status, evaluation.attempts, evaluation.worker) == ("pending", 0, "")
    assert Candidate.objects.get(evaluation=pk).status == "proposed"
    heartbeat().stop()


def test_a_task_leases_its_networks_together_and_what_was_lost_before_alone(
    search: Search, leased: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(leased)
    seen: list[tuple[int, int]] = []

    def estimate(evaluation: Evaluation, _: object) -> Estimate:
        seen.append((evaluation.attempts, Evaluation.objects.filter(status="leased").count()))
        return GOOD

    monkeypatch.setattr(scoring, "_estimate", estimate)
    scoring.score([leased.pk, *waiting(search)], search.pk)
    assert seen == [(1, 3), (1, 3), (2, 1)], "the expired lease counts until it is its turn"
    search.refresh_from_db()
    assert search.scored == 3
    assert [event.payload for event in search.events.filter(kind="candidates")] == [
        {"numbers": [1, 2]},
        {"numbers": [0]},
    ]
    heartbeat().stop()


def test_a_pause_is_noticed_between_networks_and_frees_the_rest(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    def estimate(evaluation: Evaluation, _: object) -> Estimate:
        control.pause(search)
        return GOOD

    monkeypatch.setattr(scoring, "_estimate", estimate)
    monkeypatch.setattr(scoring, "RECORD_PAUSE", 0.0)
    _, *others = waiting(search)
    scoring.score(waiting(search), search.pk)
    assert [c.status for c in search.candidates.all()] == ["scored", "proposed", "proposed"]
    assert set(Evaluation.objects.filter(pk__in=others).values_list("status", "attempts")) == {("pending", 0)}
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.status == "paused"
    heartbeat().stop()


def test_nothing_is_leased_for_a_search_that_was_paused_while_its_estimator_was_made(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_prepare", lambda *_: control.pause(search))
    before = waiting(search)
    scoring.score(before, search.pk)
    assert (search.status, waiting(search)) == ("paused", before)
    assert {c.status for c in search.candidates.all()} == {"proposed"}


@pytest.mark.parametrize(
    ("count", "seconds", "workers", "size"),
    [(8, None, 2, 1), (8, 4.0, 2, 1), (100, 0.1, 2, 10), (8, 0.1, 2, 4), (100, 0.001, 0, 100), (1, 0.001, 9, 1)],
)
def test_chunks_hold_a_second_of_work_and_leave_nobody_idle(
    count: int, seconds: float | None, workers: int, size: int
) -> None:
    assert dispatching.chunk_size(count, seconds, workers) == size
