"""Scoring evaluations in a worker: lease, estimate, record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from engine.errors import EngineError, Stopped
from engine.estimate import Estimate
from searches.models import Candidate, Evaluation, Search
from searches.services import recording
from searches.services.estimators import estimator_of
from searches.services.heartbeat import heartbeat, lease_end
from searches.services.resolving import resolve_search

MAX_ATTEMPTS = 3
STOP_PAUSE = 1.0
log = logging.getLogger(__name__)


def score(evaluation_ids: Sequence[int], search_id: int) -> None:
    """Scores those of the evaluations that nobody else has, while the search runs."""
    for evaluation_id in evaluation_ids:
        search = Search.objects.filter(pk=search_id, status=Search.Status.RUNNING).select_related("owner").first()
        if search is None:
            return
        _prepare(search, evaluation_id)
        evaluation = lease(evaluation_id)
        if evaluation is None:
            continue
        with heartbeat().holding(evaluation, search):
            try:
                estimate = _estimate(evaluation, search)
            except Stopped:
                release(evaluation)
                continue
            recording.record(evaluation.pk, evaluation.attempts, estimate, _options(evaluation, search, estimate))


def lease(evaluation_id: int) -> Evaluation | None:
    """The evaluation, leased to this process by an UPDATE that only one process can win; None when another has it."""
    pending = Q(status=Evaluation.Status.PENDING)
    expired = Q(status=Evaluation.Status.LEASED, lease_until__lt=timezone.now(), attempts__lt=MAX_ATTEMPTS)
    hit = Evaluation.objects.filter(pending | expired, pk=evaluation_id).update(
        status=Evaluation.Status.LEASED, attempts=F("attempts") + 1, worker=heartbeat().name, lease_until=lease_end()
    )
    if not hit:
        return None
    show_leased(evaluation_id)
    return Evaluation.objects.get(pk=evaluation_id)


def show_leased(evaluation_id: int) -> None:
    """Shows on the candidates that wait for a leased evaluation that it is at work."""
    waiting = Candidate.objects.filter(evaluation=evaluation_id, status=Candidate.Status.PROPOSED)
    waiting = waiting.exclude(search__status=Search.Status.CANCELLED)
    waiting.update(status=Candidate.Status.LEASED)


def release(evaluation: Evaluation) -> None:
    """Gives a lease back as if it had never been taken."""
    hit = Evaluation.objects.filter(
        pk=evaluation.pk, attempts=evaluation.attempts, status=Evaluation.Status.LEASED
    ).update(
        status=Evaluation.Status.PENDING, attempts=F("attempts") - 1, worker="", lease_until=None, dispatched_at=None
    )
    if hit:
        waiting = Candidate.objects.filter(evaluation=evaluation, status=Candidate.Status.LEASED)
        waiting.update(status=Candidate.Status.PROPOSED)


def stopper(evaluation: Evaluation) -> Callable[[], bool]:
    """A ``stop`` that is true once nobody wants the result any more; it looks at most once in `STOP_PAUSE` seconds."""
    looked, stopped = monotonic(), False

    def stop() -> bool:
        nonlocal looked, stopped
        if not stopped and monotonic() - looked >= STOP_PAUSE:
            looked = monotonic()
            waiting = Candidate.objects.filter(evaluation=evaluation, status__in=recording.WAITING)
            stopped = not waiting.filter(search__status__in=Search.ACTIVE).exists()
        return stopped

    return stop


def _prepare(search: Search, evaluation_id: int) -> None:
    """Makes the estimator before there is a lease: importing torch stops the heartbeat's thread for seconds.

    An error comes again under the lease, where it is recorded.
    """
    with suppress(Exception):
        resolved = resolve_search(search)
        identity = Evaluation.objects.values_list("identity", flat=True).get(pk=evaluation_id)
        estimator_of(resolved, resolved.stage_of(identity))


def _options(evaluation: Evaluation, search: Search, estimate: Estimate) -> dict[str, Any]:
    """The options of the estimate that found a score."""
    if estimate.score is None:
        return {}
    return resolve_search(search).stage_of(evaluation.identity).options.model_dump(mode="json")


def _estimate(evaluation: Evaluation, search: Search) -> Estimate:
    """The estimate; whatever goes wrong with one network becomes its reason, so that the search goes on."""
    try:
        resolved = resolve_search(search)
        estimator = estimator_of(resolved, resolved.stage_of(evaluation.identity))
        architecture = resolved.space.architecture(evaluation.choices)
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
