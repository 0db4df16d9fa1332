"""Dispatch of tasks after the rows that they need are committed.

If the broker is unreachable, a message is lost but no work is: rows record what is left to do, and `sweeping`
dispatches it again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from math import ceil
from operator import attrgetter
from statistics import median
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from searches.models import Candidate, Evaluation, Search, Training, Worker
from searches.models.latency import Measurement

ADVANCE = "searches.tasks.advance_search"
SCORE = "searches.tasks.score_candidates"
TRAIN = "searches.tasks.train_network"
MEASURE = "searches.tasks.measure_latency"
TASK_SECONDS = 1.0
RECENT = 20
log = logging.getLogger(__name__)


def advance(search_id: int) -> None:
    """After the commit, send the task that advances the search."""
    transaction.on_commit(partial(_send, ADVANCE, [search_id]), robust=True)


def score(search: Search, work: QuerySet[Evaluation]) -> None:
    """After the commit, send tasks that score the evaluations ``work`` (`recording.to_score`), in candidate order.

    Each task has about `TASK_SECONDS` of work. Rows are locked by number, as everywhere.
    """
    rows = work.select_for_update(of=("self",)).order_by("pk").only("pk").annotate(number=F("candidates__number"))
    evaluation_ids = [row.pk for row in sorted(rows, key=attrgetter("number"))]
    if not evaluation_ids:
        return
    Evaluation.objects.filter(pk__in=evaluation_ids).update(dispatched_at=timezone.now())
    for chunk in chunks(search, evaluation_ids):
        transaction.on_commit(partial(_send, SCORE, [chunk, search.pk]), robust=True)


def train(training: Training) -> None:
    """After the commit, send the task that trains the network if there is room (`training_runs.room`)."""
    Training.objects.filter(pk=training.pk).update(dispatched_at=timezone.now())
    transaction.on_commit(partial(_send, TRAIN, [training.pk]), robust=True)


def measure(kind: str, row: Measurement) -> None:
    """After the commit, send the task that measures a latency or reads a benchmark file."""
    type(row)._default_manager.filter(pk=row.pk).update(dispatched_at=timezone.now())
    transaction.on_commit(partial(_send, MEASURE, [kind, row.pk]), robust=True)


def chunks(search: Search, evaluation_ids: Sequence[int]) -> list[list[int]]:
    """Return the evaluations in parts of one task each.

    The size depends on the seconds of recent runs at the stage of the first evaluation.
    """
    stage = search.candidates.filter(evaluation=evaluation_ids[0]).values_list("stage", flat=True).last() or 0
    size = chunk_size(len(evaluation_ids), recent_seconds(search, stage), alive_workers())
    return [list(evaluation_ids[start : start + size]) for start in range(0, len(evaluation_ids), size)]


def chunk_size(count: int, seconds: float | None, workers: int) -> int:
    """Return how many of ``count`` evaluations of ``seconds`` each make one task; 1 if no time was measured."""
    if not seconds:
        return 1
    return max(1, min(ceil(TASK_SECONDS / seconds), ceil(count / max(workers, 1))))


def recent_seconds(search: Search, stage: int = 0) -> float | None:
    """Return the median seconds of a stage's latest runs, or None before the first run."""
    runs = search.candidates.filter(stage=stage, status=Candidate.Status.SCORED, from_cache=False).order_by("-number")
    seconds = [value for value in runs.values_list("seconds", flat=True)[:RECENT] if value]
    return median(seconds) if seconds else None


def alive_workers() -> int:
    """Return the number of worker processes whose last heartbeat is at most a lease old."""
    return Worker.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)).count()


def _send(task: str, args: list[Any]) -> None:
    try:
        current_app.send_task(task, args=args)
    except Exception as problem:
        log.warning("%s%r was not sent; the sweeper will send it: %r", task, tuple(args), problem)
