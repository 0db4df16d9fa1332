"""The actions of a user on a search. Every action locks the row, so that no round is half told while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Max

from searches import events
from searches.models import Candidate, Evaluation, Search, Training
from searches.models.documents import unreadable
from searches.selectors.calibrations import latest
from searches.services import algorithm_state, dispatching, extending, recording, trainings
from searches.services.errors import ActionRefused
from searches.services.lifecycle import Status, change, halt, locked
from searches.services.proposals import try_again

ALLOWED = {
    "pause": (Status.QUEUED, Status.RUNNING),
    "resume": (Status.PAUSING, Status.PAUSED),
    "stop": (Status.QUEUED, Status.RUNNING, Status.PAUSING, Status.PAUSED),
    "cancel": (Status.QUEUED, Status.RUNNING, Status.PAUSING, Status.PAUSED, Status.STOPPING),
    "retry": (Status.RUNNING, Status.PAUSED, Status.FINISHED, Status.FAILED),
    "extend": (Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.FINISHED),
    "delete": tuple(Status),
    "clone": tuple(Status),
    "repeat": tuple(Status),
}
VERBS = {"pause": "paused", "resume": "resumed", "stop": "stopped", "cancel": "cancelled", "extend": "extended"}
READING = ("resume", "retry", "extend", "clone", "repeat")
"""The actions that need the search's configuration."""
LOOKED_UP = "A table always gives the same result, so nothing can be retried."


def allowed(search: Search) -> list[str]:
    """Return the names of the actions that are possible now, without a database query."""
    return [
        action for action, statuses in ALLOWED.items() if search.status in statuses and not _why_not(search, action)
    ]


def pause(search: Search) -> None:
    """Start no new evaluations; the search is paused when the running ones are finished."""
    with _acting(search, "pause") as row:
        change(row, Status.PAUSING)
        halt(row)


def resume(search: Search) -> None:
    """Continue from where the search was paused."""
    with _acting(search, "resume") as row:
        change(row, Status.RUNNING)
        _go_on(row)


def stop(search: Search) -> None:
    """Let the running evaluations finish and end the search; proposals that have not started stay proposed."""
    with _acting(search, "stop") as row:
        change(row, Status.STOPPING)
        halt(row)


def cancel(search: Search) -> None:
    """End the search at once; running estimates notice this within seconds, and their results are not recorded."""
    with _acting(search, "cancel") as row:
        row.candidates.filter(status=Candidate.Status.LEASED).update(status=Candidate.Status.PROPOSED)
        change(row, Status.CANCELLED)


def retry_failed(search: Search) -> None:
    """Score the failed candidates again.

    The algorithm is told their scores after the round that is now open, or after the last round if none is open.
    """
    with _acting(search, "retry") as row:
        failed = list(row.candidates.filter(status=Candidate.Status.FAILED))
        constants = latest(row)
        last = row.candidates.aggregate(last=Max("round"))["last"]
        touched = (Candidate.Status.FAILED, *recording.WAITING)  # touched here and in `_go_on`
        known = Evaluation.objects.filter(candidates__search=row, candidates__status__in=touched)
        evaluations = known.select_for_update(of=("self",)).order_by("pk").in_bulk()
        for candidate in failed:
            row.charged_seconds -= candidate.seconds or 0.0
            row.failed -= 1
            row.from_cache -= candidate.from_cache
            candidate.status = Candidate.Status.PROPOSED
            candidate.error = ""
            candidate.seconds = None
            if candidate.round < row.rounds:
                candidate.revived_round = last
            evaluation = evaluations[candidate.evaluation_id]
            candidate.from_cache = evaluation.status == Evaluation.Status.DONE
            if candidate.from_cache:  # a retry of another search has scored the same evaluation
                recording.settle(row, candidate, evaluation, constants)
        try_again(e for e in evaluations.values() if e.status == Evaluation.Status.FAILED)
        Candidate.objects.bulk_update(failed, [*recording.OUTCOME, "revived_round"], batch_size=100)
        recording.choose_best(row, failed)
        events.record(row, recording.entries([c for c in failed if c.status == Candidate.Status.SCORED]))
        algorithm_state.void(row)
        row.save(update_fields=["epoch", *recording.COUNTERS])
        if row.status in (Status.FINISHED, Status.FAILED):
            change(row, Status.RUNNING)
        _go_on(row)


def extend(search: Search, evaluations: int | None = None, seconds: float | None = None) -> None:
    """Add to the budget; a finished search continues as if it had had the larger budget from the start."""
    if not evaluations and not seconds:
        raise ActionRefused("Give the number of evaluations or seconds to add.")
    with _acting(search, "extend") as row:
        for name, more in (("evaluations", evaluations), ("seconds", seconds)):
            limit = getattr(row, f"budget_{name}")
            if more and limit is None:
                raise ActionRefused(f"The search has no limit on {name} that could be extended.")
            if more and (reason := extending.why_not(row)):
                raise ActionRefused(f"{name.capitalize()} {reason}")
            if more:
                setattr(row, f"budget_{name}", limit + more)
        row.epoch += 1  # a running look-up still uses the old budget: its rounds become void
        taken = extending.reopen(row)
        row.save(update_fields=["budget_evaluations", "budget_seconds", "rounds", "epoch", *recording.COUNTERS])
        if row.status == Status.FINISHED:
            change(row, Status.RUNNING)
            _go_on(row)
        elif taken and row.status == Status.RUNNING:
            _go_on(row)  # the search was waiting for finalists that were taken back


def delete(search: Search) -> None:
    """Delete the search with all its rows; scores that other searches use, or may use later, stay."""
    with _acting(search, "delete") as row:
        pending = Evaluation.objects.filter(candidates__search=row, status=Evaluation.Status.PENDING)
        unfinished = [e.pk for e in pending.select_for_update(of=("self",)).order_by("pk").only("pk")]
        trainings.remove_files(Training.objects.filter(candidate__search=row))
        Search.objects.filter(pk=row.pk).update(best=None)
        row.candidates.all().delete()
        Evaluation.objects.filter(pk__in=unfinished, candidates=None).delete()
        row.delete()


@contextmanager
def _acting(search: Search, action: str) -> Iterator[Search]:
    """Yield the locked row if the action is allowed now; afterwards ``search`` has the new state."""
    with transaction.atomic():
        row = locked(search.pk)
        if row is None:
            raise ActionRefused("The search no longer exists.")
        if row.status not in ALLOWED[action]:
            raise ActionRefused(f"A search that is {row.status} cannot be {VERBS.get(action, action)}.")
        if reason := _why_not(row, action):
            raise ActionRefused(reason)
        yield row
    if action != "delete":
        search.refresh_from_db()


def _why_not(search: Search, action: str) -> str:
    if action in READING and (reason := unreadable(search)):
        return reason
    if action != "retry":
        return ""
    if all(options.looks_up for options in search.configuration.estimators):
        return LOOKED_UP if search.status != Status.FAILED else ""
    if not search.failed and search.status != Status.FAILED:
        return "No candidate has failed."
    return ""


def _go_on(search: Search) -> None:
    """Dispatch the waiting work again, because messages sent before were dropped while the search did not run."""
    waiting = recording.to_score(search).select_for_update(of=("self",)).order_by("pk").only("pk")
    Evaluation.objects.filter(pk__in=[row.pk for row in waiting]).update(dispatched_at=None)
    dispatching.advance(search.pk)
