"""Pause, resume, stop, cancel, retry, extend, delete: their effects, and the continuation after them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.estimate import Estimate
from searches.models import Candidate, Evaluation, Search
from searches.services import advancing, algorithm_state, control, recording, scoring
from searches.services.errors import ActionRefused
from searches.services.sweeping import sweep
from tests.searches.driving import drive, outcomes, start, table_config, training_config, waiting, write_table
from tests.searches.factories import make_search, make_user

pytestmark = pytest.mark.django_db
Status = Search.Status


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path)


def made_up(evaluation: Evaluation) -> Estimate:
    """Return a made-up score, without training."""
    return Estimate(sum((i + 1) * choice for i, choice in enumerate(evaluation.choices)) % 7, seconds=2.0)


def answer(pk: int, scored: Callable[[Evaluation], Estimate] = made_up) -> None:
    """Lease and record one evaluation as a worker would."""
    evaluation = scoring.lease(pk)
    assert evaluation is not None
    recording.record(pk, evaluation.attempts, scored(evaluation))


def work(
    search: Search, scored: Callable[[Evaluation], Estimate] = made_up, rounds: int = 100, forget: bool = False
) -> None:
    """Advance and answer up to ``rounds`` rounds."""
    for _ in range(rounds):
        advancing.advance(search.pk)
        if forget:
            algorithm_state.forget(search.pk)
        pending = waiting(search)
        for pk in pending:
            answer(pk, scored)
        search.refresh_from_db()
        if not search.is_active:
            return


def running(**changes: object) -> Search:
    """Return a search whose first round waits."""
    search = start(training_config(**changes))
    advancing.advance(search.pk)
    search.refresh_from_db()
    return search


def dispatched() -> set[object]:
    """Return the times at which the evaluations were dispatched."""
    return set(Evaluation.objects.values_list("dispatched_at", flat=True))


def statuses(search: Search) -> list[str]:
    return list(search.candidates.order_by("number").values_list("status", flat=True))


def test_a_pause_finishes_what_runs_and_starts_nothing() -> None:
    search = running()
    first, second, _ = waiting(search)
    lease = scoring.lease(first)
    control.pause(search)
    assert search.status == Status.PAUSING
    scoring.score([second], search.pk)
    assert statuses(search) == ["leased", "proposed", "proposed"]
    recording.record(first, lease.attempts, made_up(lease))
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.status == Status.PAUSED
    assert statuses(search) == ["scored", "proposed", "proposed"]


def test_a_pause_of_an_idle_search_is_immediate_and_resumes_to_the_same_end() -> None:
    undisturbed = running()
    work(undisturbed)
    expected = outcomes(undisturbed)
    control.delete(undisturbed)
    Evaluation.objects.all().delete()
    search = running()
    while search.status == Status.RUNNING:
        answer(waiting(search)[0])
        control.pause(search)
        assert search.status == Status.PAUSED
        control.resume(search)
        assert search.status == Status.RUNNING
        algorithm_state.forget(search.pk)
        advancing.advance(search.pk)
        search.refresh_from_db()
    assert outcomes(search) == expected
    assert [e.payload["status"] for e in search.events.filter(kind="status")][:4] == [
        "queued",
        "running",
        "pausing",
        "paused",
    ]


def test_work_dropped_during_a_pause_is_dispatched_again() -> None:
    search = running()
    before = dispatched()
    control.pause(search)
    control.resume(search)
    assert dispatched() == {None}
    advancing.advance(search.pk)
    assert None not in dispatched()
    assert dispatched().isdisjoint(before)


def test_stop_keeps_what_was_scored_and_extend_goes_on_from_there() -> None:
    search = running()
    answer(waiting(search)[0])
    control.stop(search)
    assert (search.status, search.scored) == (Status.FINISHED, 1)
    assert "stopped" in search.status_reason
    assert search.finished_at is not None
    assert control.allowed(search) == ["extend", "delete", "clone", "repeat"]
    control.extend(search, evaluations=4)
    work(search)
    assert (search.status, search.scored) == (Status.FINISHED, 20)


def test_cancel_is_immediate_and_later_results_do_not_count() -> None:
    search = running()
    lease = scoring.lease(waiting(search)[0])
    control.cancel(search)
    assert (search.status, statuses(search)) == (Status.CANCELLED, ["proposed"] * 3)
    recording.record(lease.pk, lease.attempts, made_up(lease))
    advancing.advance(search.pk)
    sweep()
    search.refresh_from_db()
    assert (search.status, search.scored, search.rounds) == (Status.CANCELLED, 0, 0)


def test_work_of_a_cancelled_search_is_done_for_the_others() -> None:
    first = running()
    second = running()
    control.cancel(first)
    work(second)
    assert second.status == Status.FINISHED


def test_extending_equals_the_larger_budget_from_the_start(table: Path) -> None:
    large = drive(start(table_config(table)))
    small = drive(start(table_config(table, budget={"evaluations": 19})))
    control.extend(small, evaluations=21)
    assert small.status == Status.RUNNING
    drive(small)
    assert outcomes(small) == outcomes(large)
    assert small.budget_evaluations == 40


def test_extending_seconds_equals_the_larger_budget_from_the_start(table: Path) -> None:
    large, small = ({"evaluations": None, "seconds": seconds} for seconds in (600.0, 233.0))
    expected = drive(start(table_config(table, budget=large)))
    search = drive(start(table_config(table, budget=small)))
    assert search.charged_seconds <= 233 < search.charged_seconds + 22
    control.extend(search, seconds=367.0)
    assert outcomes(drive(search)) == outcomes(expected)


def test_extending_a_training_fills_the_cut_round_first() -> None:
    large = running()
    work(large)
    small = running(budget={"evaluations": 9})
    work(small)
    assert (small.scored, small.status_reason) == (9, "budget of 9 evaluations spent")
    control.extend(small, evaluations=7)
    work(small)
    assert outcomes(small) == outcomes(large)


def test_seconds_of_earlier_trainings_keep_a_round_within_the_budget() -> None:
    search = start(training_config(budget={"evaluations": None, "seconds": 11.0}))
    work(search)
    assert (search.asked, search.charged_seconds) == (5, 10.0), "a sixth training of 2 s would exceed 11 s"
    assert search.status_reason == "budget of 11 seconds spent"


@pytest.mark.parametrize("forget", [False, True])
def test_a_retry_is_told_late_and_in_every_replay(forget: bool) -> None:
    search = running(budget={"evaluations": 40})
    bad = search.candidates.get(number=1).evaluation_id
    work(search, lambda e: Estimate(None, error="no luck") if e.pk == bad else made_up(e), rounds=4)
    assert statuses(search)[1] == "failed"
    open_round = search.rounds
    advancing.advance(search.pk)
    control.retry_failed(search)
    candidate = search.candidates.get(number=1)
    assert (candidate.status, search.failed) == ("proposed", 0)
    assert candidate.revived_round == search.candidates.order_by("-number").first().round >= open_round
    work(search, forget=forget)
    assert (search.status, search.scored, search.failed) == (Status.FINISHED, 40, 0)
    algorithm_state.forget(search.pk)
    resolved = advancing.resolve_search(search)
    replayed = algorithm_state.load(search, resolved).algorithm
    kept = {r.number for b in replayed.buckets() for r in b.residents}
    shown = {number for b in search.buckets.all() for number, _ in b.residents}
    assert kept == shown


def test_a_retry_of_a_finished_search_goes_on_only_for_it() -> None:
    search = running(budget={"evaluations": 6})
    work(search, lambda e: Estimate(None, error="no luck", seconds=1.0) if e.choices[0] else made_up(e))
    failed = search.failed
    assert search.status == Status.FINISHED
    assert failed > 0
    assert "retry" in control.allowed(search)
    control.retry_failed(search)
    assert (search.status, search.failed) == (Status.RUNNING, 0)
    work(search)
    assert (search.status, search.scored, search.asked) == (Status.FINISHED, 6, 6)
    assert search.charged_seconds == pytest.approx(12.0)
    assert search.status_reason == "budget of 6 evaluations spent"
    assert "retry" not in control.allowed(search)


def test_a_search_whose_networks_all_fail_says_why_and_can_be_retried() -> None:
    search = running(budget={"evaluations": 5})
    work(search, lambda _: Estimate(None, error="no memory"))
    assert search.status == Status.FAILED
    assert search.status_reason.startswith("all ")
    assert search.status_reason.endswith("the last one: no memory")
    control.retry_failed(search)
    work(search)
    assert (search.status, search.failed) == (Status.FINISHED, 0)


def test_what_a_table_does_not_know_cannot_be_retried(tmp_path: Path) -> None:
    search = drive(start(table_config(write_table(tmp_path, missing=60), algorithm={"kind": "random"})))
    assert search.failed
    assert "retry" not in control.allowed(search)
    with pytest.raises(ActionRefused, match="table"):
        control.retry_failed(search)


def test_delete_takes_all_rows_but_scores_others_may_find(table: Path) -> None:
    kept = drive(start(table_config(table)))
    search = drive(start(table_config(table, seed=2)))
    before = outcomes(kept)
    control.delete(search)
    assert not Search.objects.filter(pk=search.pk).exists()
    assert Candidate.objects.count() == 40
    assert outcomes(kept) == before
    control.delete(running())
    assert not Evaluation.objects.filter(status="pending").exists()


def test_every_action_is_refused_where_it_is_not_allowed() -> None:
    actions = {
        "pause": control.pause,
        "resume": control.resume,
        "stop": control.stop,
        "cancel": control.cancel,
        "retry": control.retry_failed,
        "extend": lambda search: control.extend(search, evaluations=1),
    }
    owner = make_user()
    for status in Status:
        search = make_search(owner, status=status)
        allowed = control.allowed(search)
        for name, act in actions.items():
            if name not in allowed:
                with pytest.raises(ActionRefused, match=r"^[A-Z].*\.$"):
                    act(search)
        search.refresh_from_db()
        assert (search.status, search.events.count()) == (status, 0)


def test_a_budget_without_a_limit_cannot_be_extended() -> None:
    search = running()
    for numbers in ({}, {"seconds": 5.0}):
        with pytest.raises(ActionRefused):
            control.extend(search, **numbers)


def test_the_sweeper_hands_out_what_was_lost() -> None:
    search = running()
    Evaluation.objects.update(dispatched_at=None)
    sweep()
    assert not Evaluation.objects.filter(dispatched_at=None).exists()
    for pk in waiting(search):
        answer(pk)
    before = search.rounds
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.rounds == before + 1
