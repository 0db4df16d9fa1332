"""Recovery of lost work: leases of dead workers, messages that the broker lost, rounds that no task followed up."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from engine.estimate import Estimate
from searches import events
from searches.models import Candidate, Evaluation, Search, Worker
from searches.services import dispatching, measuring, recording, training_runs
from searches.services.scoring import MAX_ATTEMPTS

LOST = "the worker was lost three times while scoring this network"
log = logging.getLogger(__name__)


def sweep() -> None:
    """Go once through everything that may have been lost.

    It does no harm to do this twice, or while the work itself runs.
    """
    _free_expired_leases()
    training_runs.sweep()
    _forget_dead_workers()
    measuring.sweep()
    idle = _idle_workers()
    for search in Search.objects.filter(status__in=Search.ACTIVE).select_related("owner"):
        with transaction.atomic():
            if search.status == Search.Status.RUNNING:
                _hand_out_again(search, idle)
            if _unattended(search):
                dispatching.advance(search.pk)


def _free_expired_leases() -> None:
    now = timezone.now()
    for evaluation in Evaluation.objects.filter(status=Evaluation.Status.LEASED, lease_until__lt=now):
        if evaluation.attempts >= MAX_ATTEMPTS:
            error = f"{LOST}: {evaluation.error}" if evaluation.error else f"{LOST} (out of memory?)"
            recording.record(evaluation.pk, evaluation.attempts, Estimate(None, error=error, seed=evaluation.seed))
            continue
        with transaction.atomic():
            lease = Evaluation.objects.filter(pk=evaluation.pk, attempts=evaluation.attempts, lease_until__lt=now)
            if not lease.filter(status=Evaluation.Status.LEASED).update(
                status=Evaluation.Status.PENDING, worker="", lease_until=None, dispatched_at=None
            ):
                continue
            waiting = Candidate.objects.filter(evaluation=evaluation, status=Candidate.Status.LEASED)
            told = list(waiting.select_related("search"))
            waiting.update(status=Candidate.Status.PROPOSED)
        log.warning("%s lost its worker %s; it is dispatched again", evaluation.arch, evaluation.worker)
        for candidate in told:  # after the transaction: searches are locked before evaluations, as everywhere
            lost = events.lost(candidate.number, candidate.arch, evaluation.worker, evaluation.error)
            events.record(candidate.search, [lost])


def _forget_dead_workers() -> None:
    silent = timezone.now() - timedelta(seconds=3 * settings.NASWEB_LEASE_SECONDS)
    Worker.objects.filter(seen_at__lt=silent).delete()


def _idle_workers() -> bool:
    alive = timezone.now() - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    return Worker.objects.filter(seen_at__gt=alive, current="").exists()


def _hand_out_again(search: Search, idle: bool) -> None:
    """Dispatch work that was never sent and, while a worker is idle, work that was sent long ago."""
    old = timezone.now() - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    lost = Q(dispatched_at=None) | Q(dispatched_at__lt=old) if idle else Q(dispatched_at=None)
    dispatching.score(search, recording.to_score(search).filter(lost))


def _unattended(search: Search) -> bool:
    """Return whether the search could advance although no task is working on it."""
    attended = search.advance_until is not None and search.advance_until > timezone.now()
    return not attended and not recording.is_waiting(search)
