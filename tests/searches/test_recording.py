"""Results: recorded once, for every waiting search; a result without a score is a failure with a reason."""

from __future__ import annotations

import math

import pytest

from engine.estimate import Estimate
from engine.reduction.profiles import PROFILES, Profile
from searches.models import Evaluation, MoteScore, Search
from searches.services import advancing, recording, scoring
from tests.searches.driving import drive, expire, start, training_config, waiting
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
GOOD = Estimate(0.5, {"valid_accuracy": 50.0}, {"epoch_losses": [2.0, 1.0]}, seconds=1.5, device="cpu")


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


def test_networks_that_diverge_or_have_no_way_through_end_at_once_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Real trainings at a far too large learning rate: two cells overflow, the third has no path to its output."""
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
