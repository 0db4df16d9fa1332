"""Leases and results: one worker a network, one record a result, nothing lost with a worker."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from engine.errors import Stopped
from engine.estimate import Estimate
from engine.estimators.mote_run import PROFILES, Profile
from searches.models import Candidate, Evaluation, MoteScore, Search, Worker
from searches.services import advancing, control, dispatching, recording, scoring
from searches.services.heartbeat import Heartbeat, heartbeat
from searches.services.sweeping import LOST, sweep
from tests.searches.driving import drive, start, training_config, waiting
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
GOOD = Estimate(0.5, {"valid_accuracy": 50.0}, {"epoch_losses": [2.0, 1.0]}, seconds=1.5, device="cpu")


@pytest.fixture
def search() -> Search:
    """A search whose first round of three waits."""
    search = start(training_config())
    advancing.advance(search.pk)
    search.refresh_from_db()
    return search


@pytest.fixture
def leased(search: Search) -> Evaluation:
    """Its first evaluation, leased by this process."""
    evaluation = scoring.lease(waiting(search)[0])
    assert evaluation is not None
    return evaluation


def expire(evaluation: Evaluation) -> None:
    """As if the worker had been silent for long."""
    Evaluation.objects.filter(pk=evaluation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_lease_is_given_once(search: Search) -> None:
    first = waiting(search)[0]
    evaluation = scoring.lease(first)
    assert evaluation is not None
    assert (evaluation.status, evaluation.attempts) == ("leased", 1)
    assert evaluation.lease_until > timezone.now()
    assert scoring.lease(first) is None
    assert [c.status for c in search.candidates.all()] == ["leased", "proposed", "proposed"]


def test_a_result_reaches_its_candidate_counters_best_and_events(search: Search, leased: Evaluation) -> None:
    assert recording.record(leased.pk, leased.attempts, GOOD)
    leased.refresh_from_db()
    assert (leased.status, leased.score, leased.seconds) == ("done", 0.5, 1.5)
    assert leased.curves == {"epoch_losses": [2.0, 1.0]}
    candidate = search.candidates.get(number=0)
    assert (candidate.status, candidate.score, candidate.valid_accuracy) == ("scored", 0.5, 50.0)
    search.refresh_from_db()
    assert (search.scored, search.failed, search.best, search.charged_seconds) == (1, 0, candidate, 1.5)
    assert search.events.last().payload == {"numbers": [0]}


def test_recording_twice_changes_nothing(search: Search, leased: Evaluation) -> None:
    assert recording.record(leased.pk, leased.attempts, GOOD)

    def rows() -> list[list[dict]]:
        return [list(rows.values()) for rows in (Search.objects, search.candidates, search.events, Evaluation.objects)]

    before = rows()
    assert not recording.record(leased.pk, leased.attempts, Estimate(0.9, seconds=7.0))
    assert rows() == before


def test_several_results_are_recorded_in_one_go_where_their_leases_hold(search: Search) -> None:
    other = start(training_config(), make_user())
    advancing.advance(other.pk)
    assert [work.pk for work in recording.to_score(other)] == waiting(search), "each once, whoever else waits for it"
    leases = [scoring.lease(pk) for pk in waiting(search)]
    expire(leases[1])
    again = scoring.lease(leases[1].pk)
    estimates = [Estimate(float(number), seconds=1.0) for number in range(3)]
    results = [recording.Result(e.pk, e.attempts, got) for e, got in zip(leases, estimates, strict=True)][::-1]
    before = search.event_seq
    assert recording.record_all(results) == 2
    assert recording.record_all(results) == recording.record_all([]) == 0
    for each in (search, other):
        each.refresh_from_db()
        assert (each.scored, each.best.number, each.charged_seconds) == (2, 2, 2.0)
        assert [c.status for c in each.candidates.all()] == ["scored", "leased", "scored"]
        assert each.events.last().payload == {"numbers": [0, 2]}
    assert search.event_seq == before + 1
    assert recording.record(again.pk, again.attempts, GOOD)


def test_a_result_of_a_lease_that_was_handed_on_is_refused(search: Search, leased: Evaluation) -> None:
    expire(leased)
    again = scoring.lease(leased.pk)
    assert again is not None
    assert again.attempts == 2
    assert not recording.record(leased.pk, leased.attempts, GOOD)
    assert recording.record(again.pk, again.attempts, GOOD)


@pytest.mark.parametrize("estimate", [Estimate(math.nan), Estimate(math.inf), Estimate(None, error="it broke")])
def test_what_has_no_score_is_a_failure_with_a_reason(search: Search, leased: Evaluation, estimate: Estimate) -> None:
    recording.record(leased.pk, leased.attempts, estimate)
    candidate = search.candidates.get(number=0)
    assert (candidate.status, candidate.score) == ("failed", None)
    assert candidate.error == (estimate.error or recording.NOT_A_NUMBER)
    search.refresh_from_db()
    assert (search.scored, search.failed, search.best) == (0, 1, None)
    assert [e.kind for e in search.events.all()][-2:] == ["candidates", "error"]


def test_terms_without_a_number_are_stored_as_unknown(leased: Evaluation) -> None:
    recording.record(leased.pk, leased.attempts, Estimate(1.0, {"a": math.nan}, {"c": [math.inf, 1.0]}))
    leased.refresh_from_db()
    assert (leased.terms, leased.curves) == ({"a": None}, {"c": [None, 1.0]})


def test_the_best_does_not_depend_on_who_answered_first(search: Search) -> None:
    for pk in reversed(waiting(search)):
        lease = scoring.lease(pk)
        recording.record(pk, lease.attempts, GOOD)
    search.refresh_from_db()
    assert search.best.number == 0


def test_one_result_serves_every_search_that_waits(search: Search, leased: Evaluation) -> None:
    other = start(training_config(), make_user())
    advancing.advance(other.pk)
    assert other.candidates.get(number=0).status == "leased"
    assert Evaluation.objects.count() == 3, "nothing is scored twice"
    recording.record(leased.pk, leased.attempts, GOOD)
    for each in (search, other):
        each.refresh_from_db()
        assert (each.scored, each.best.number, each.charged_seconds) == (1, 0, 1.5)


def test_a_failure_is_tried_again_by_the_next_search(search: Search, leased: Evaluation) -> None:
    recording.record(leased.pk, leased.attempts, Estimate(None, error="it broke"))
    other = start(training_config(), make_user())
    advancing.advance(other.pk)
    leased.refresh_from_db()
    assert (leased.status, leased.attempts, leased.error) == ("pending", 0, "")
    assert other.candidates.get(number=0).status == "proposed"
    assert search.candidates.get(number=0).status == "failed"


def test_parts_of_a_mote_score_are_kept_apart() -> None:
    search = start(training_config(estimator={"kind": "mote"}))
    advancing.advance(search.pk)
    lease = scoring.lease(waiting(search)[0])
    terms = {"landscape": 1.0, "speed": -2.0, "time_seconds": 3.0, "train_seconds": 0.5, "mote": 0.1}
    curves = {"epoch_losses": [2.0, 1.0], "landscape_losses": [1.0, math.nan]}
    options = search.config["estimator"]
    recording.record(lease.pk, lease.attempts, Estimate(0.1, terms, curves), options)
    mote = MoteScore.objects.get(evaluation=lease)
    assert (mote.landscape, mote.speed, mote.time_seconds, mote.train_seconds) == (1.0, -2.0, 3.0, 0.5)
    assert (mote.profile, mote.time_model) == ("fast", "deterministic")
    assert (mote.epoch_losses, mote.landscape_losses) == ([2.0, 1.0], [1.0, None])


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
    assert (candidate.status, candidate.error) == ("failed", LOST)


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


def test_networks_that_diverge_or_have_no_way_through_end_at_once_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Real trainings at an absurd learning rate: two cells overflow, the third has no path from input to output."""
    monkeypatch.setitem(PROFILES, "fast", Profile(8, 16, 30, 3, learning_rate=1e38))
    config = {
        "space": {"kind": "nasbench201", "channels": 4, "cells": 1},
        "algorithm": {"kind": "random"},
        "estimator": {"kind": "mote"},
        "budget": {"evaluations": 3},
        "seed": 18,
    }
    search = drive(start(training_config(**config)))
    *overflown, cut_off = search.candidates.order_by("number").select_related("evaluation")
    assert [row.status for row in overflown] == ["failed", "failed"]
    assert all("not a number" in row.error for row in overflown)
    assert (cut_off.status, cut_off.evaluation.terms["connected"]) == ("scored", 0.0)
    assert math.isfinite(cut_off.score)
    assert [row.evaluation.attempts for row in (*overflown, cut_off)] == [1, 1, 1]
    assert (search.status, search.asked, search.best) == (Search.Status.FINISHED, 3, cut_off)
