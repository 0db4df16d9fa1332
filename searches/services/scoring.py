"""Scoring evaluations in a worker: lease, estimate, record.

A task leases its evaluations together, in one transaction, and records what it has finished about twice per second,
each time in one transaction. An evaluation that was lost with a worker before is leased alone: if it kills the next
worker, too, no other evaluation is lost with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from math import inf
from time import monotonic

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from engine.errors import EngineError, Stopped
from engine.estimate import Estimate
from searches.models import Candidate, Evaluation, Search
from searches.services import recording
from searches.services.estimators import estimator_of
from searches.services.heartbeat import heartbeat, lease_end
from searches.services.recording import Result
from searches.services.resolving import Resolved, resolve_search

MAX_ATTEMPTS = 3
STOP_PAUSE = 1.0
RECORD_PAUSE = 0.5
log = logging.getLogger(__name__)


def score(evaluation_ids: Sequence[int], search_id: int) -> None:
    """Score those of the evaluations that no other process has, while the search runs."""
    several = len(evaluation_ids) > 1
    untried = set(_untried(evaluation_ids).values_list("pk", flat=True)) if several else set()
    together = [pk for pk in evaluation_ids if pk in untried]
    alone = [[pk] for pk in evaluation_ids if pk not in untried]
    for chunk in [together, *alone] if together else alone:
        search = Search.objects.filter(pk=search_id, status=Search.Status.RUNNING).select_related("owner").first()
        if search is None:
            return
        _prepare(search, chunk[0])
        if leased := _lease(chunk, _untried(chunk) if chunk is together else _free(chunk)):
            with heartbeat().holding(leased, search):
                _score(leased, search)


def lease(evaluation_id: int) -> Evaluation | None:
    """Return the evaluation, leased to this process, or None if another process has it or no search waits for it."""
    return next(iter(_lease([evaluation_id], _free([evaluation_id]))), None)


def _wanted(evaluation_ids: Sequence[int]) -> QuerySet[Evaluation]:
    """Return those evaluations that a running search waits for.

    Making the estimator takes seconds, in which a user may pause or stop the search.
    """
    waiting = Candidate.objects.filter(evaluation=OuterRef("pk"), status__in=recording.WAITING)
    wanted = Exists(waiting.filter(search__status=Search.Status.RUNNING))
    return Evaluation.objects.filter(wanted, pk__in=evaluation_ids)


def _untried(evaluation_ids: Sequence[int]) -> QuerySet[Evaluation]:
    """Return those of the evaluations that no process has ever leased."""
    return _wanted(evaluation_ids).filter(status=Evaluation.Status.PENDING, attempts=0)


def _free(evaluation_ids: Sequence[int]) -> QuerySet[Evaluation]:
    """Return those of the evaluations that no process has now."""
    pending = Q(status=Evaluation.Status.PENDING)
    expired = Q(status=Evaluation.Status.LEASED, lease_until__lt=timezone.now(), attempts__lt=MAX_ATTEMPTS)
    return _wanted(evaluation_ids).filter(pending | expired)


def _lease(evaluation_ids: Sequence[int], free: QuerySet[Evaluation]) -> list[Evaluation]:
    """Lease those of the evaluations that are free when their rows are locked, and return them in the given order.

    Only one process gets each evaluation.
    """
    mine = {"status": Evaluation.Status.LEASED, "worker": heartbeat().name, "lease_until": lease_end(), "error": ""}
    with transaction.atomic():
        leased = {row.pk: row for row in free.select_for_update().order_by("pk")}
        Evaluation.objects.filter(pk__in=leased).update(attempts=F("attempts") + 1, **mine)
    for row in leased.values():
        row.attempts += 1
        vars(row).update(mine)
    if leased:
        show_leased(leased)
    return [leased[pk] for pk in evaluation_ids if pk in leased]


def show_leased(evaluation_ids: Iterable[int]) -> None:
    """Show the candidates that wait for leased evaluations as being scored."""
    waiting = Candidate.objects.filter(evaluation__in=evaluation_ids, status=Candidate.Status.PROPOSED)
    waiting = waiting.exclude(search__status=Search.Status.CANCELLED)
    waiting.update(status=Candidate.Status.LEASED)


def release(evaluations: Sequence[Evaluation]) -> None:
    """Give back leases, all of the same attempt, as if they had never been taken."""
    rows = Evaluation.objects.filter(pk__in=[row.pk for row in evaluations], attempts=evaluations[0].attempts)
    rows = rows.filter(status=Evaluation.Status.LEASED)
    with transaction.atomic():
        given_back = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        Evaluation.objects.filter(pk__in=given_back).update(
            status=Evaluation.Status.PENDING,
            attempts=F("attempts") - 1,
            worker="",
            lease_until=None,
            dispatched_at=None,
        )
    waiting = Candidate.objects.filter(evaluation__in=given_back, status=Candidate.Status.LEASED)
    waiting.update(status=Candidate.Status.PROPOSED)


def _score(leased: Sequence[Evaluation], search: Search) -> None:
    """Score the evaluations in order and record the results; once the search no longer runs, give back the rest."""
    resolved = cache(partial(resolve_search, search))
    results: list[Result] = []
    recorded = monotonic()
    for index, evaluation in enumerate(leased):
        if monotonic() - recorded >= RECORD_PAUSE:
            if not Search.objects.filter(pk=search.pk, status=Search.Status.RUNNING).exists():
                release(leased[index:])
                break
            recording.record_all(results)
            results = []
            recorded = monotonic()
        heartbeat().show(evaluation)
        try:
            results.append(_result(evaluation, resolved))
        except Stopped:
            release([evaluation])
            recorded = -inf
    recording.record_all(results)


def stopper(evaluation: Evaluation) -> Callable[[], bool]:
    """Return a ``stop`` that is true once no search wants the result; it checks at most every `STOP_PAUSE` seconds."""
    looked = monotonic()
    stopped = False

    def stop() -> bool:
        nonlocal looked, stopped
        if not stopped and monotonic() - looked >= STOP_PAUSE:
            looked = monotonic()
            waiting = Candidate.objects.filter(evaluation=evaluation, status__in=recording.WAITING)
            stopped = not waiting.filter(search__status__in=Search.ACTIVE).exists()
        return stopped

    return stop


def _prepare(search: Search, evaluation_id: int) -> None:
    """Make the estimator before there is a lease, because importing torch stops the heartbeat's thread for seconds.

    An error occurs again under the lease, where it is recorded.
    """
    with suppress(Exception):
        resolved = resolve_search(search)
        identity = Evaluation.objects.values_list("identity", flat=True).get(pk=evaluation_id)
        estimator_of(resolved, resolved.stage_of(identity))


def _result(evaluation: Evaluation, resolved: Callable[[], Resolved]) -> Result:
    estimate = _estimate(evaluation, resolved)
    scored = estimate.score is not None
    options = resolved().stage_of(evaluation.identity).options.model_dump(mode="json") if scored else {}
    return Result(evaluation.pk, evaluation.attempts, estimate, options)


def _estimate(evaluation: Evaluation, resolved: Callable[[], Resolved]) -> Estimate:
    """Return the estimate; any error of one network becomes the reason why it has no score, and the search goes on."""
    try:
        found = resolved()
        estimator = estimator_of(found, found.stage_of(evaluation.identity))
        architecture = found.space.architecture(evaluation.choices)
        (estimate,) = estimator.estimate_batch([architecture], seed=evaluation.seed, stop=stopper(evaluation))
    except Stopped:
        raise
    except EngineError as error:
        return Estimate(None, error=str(error), seed=evaluation.seed)
    except Exception as error:
        log.exception("%s could not be scored", evaluation.arch)
        return Estimate(None, error=f"{type(error).__name__}: {error}", seed=evaluation.seed)
    heartbeat().device = estimate.device
    return estimate
