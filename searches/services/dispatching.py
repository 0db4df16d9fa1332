"""Sending tasks once the rows they need are committed.

A broker that is away loses a message, never the work: rows say what is left to do and `sweeping` sends it again.
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
    """Has the search advanced by some worker, after the commit."""
    transaction.on_commit(partial(_send, ADVANCE, [search_id]), robust=True)


def score(search: Search, work: QuerySet[Evaluation]) -> None:
    """Has those of `recording.to_score` scored by any workers, in the order of the candidates, after the commit.

    Their rows are locked by number, as everywhere; chunks take about `TASK_SECONDS` of work each.
    """
    rows = work.select_for_update(of=("self",)).order_by("pk").only("pk").annotate(number=F("candidates__number"))
    evaluation_ids = [row.pk for row in sorted(rows, key=attrgetter("number"))]
    if not evaluation_ids:
        return
    Evaluation.objects.filter(pk__in=evaluation_ids).update(dispatched_at=timezone.now())
    for chunk in chunks(search, evaluation_ids):
        transaction.on_commit(partial(_send, SCORE, [chunk, search.pk]), robust=True)


def train(training: Training) -> None:
    """Has the network trained by some worker that searches leave idle, after the commit."""
    Training.objects.filter(pk=training.pk).update(dispatched_at=timezone.now())
    transaction.on_commit(partial(_send, TRAIN, [training.pk]), robust=True)


def measure(kind: str, row: Measurement) -> None:
    """Has a latency measured, or a benchmark file read, by some worker, after the commit."""
    type(row)._default_manager.filter(pk=row.pk).update(dispatched_at=timezone.now())
    transaction.on_commit(partial(_send, MEASURE, [kind, row.pk]), robust=True)


def chunks(search: Search, evaluation_ids: Sequence[int]) -> list[list[int]]:
    """Parts of the evaluations, a task each, sized by what the latest runs of the first one's stage took."""
    stage = search.candidates.filter(evaluation=evaluation_ids[0]).values_list("stage", flat=True).last() or 0
    size = chunk_size(len(evaluation_ids), recent_seconds(search, stage), alive_workers())
    return [list(evaluation_ids[start : start + size]) for start in range(0, len(evaluation_ids), size)]


def chunk_size(count: int, seconds: float | None, workers: int) -> int:
    """How many of ``count`` evaluations of ``seconds`` each make a task; one where nothing was measured."""
    if not seconds:
        return 1
    return max(1, min(ceil(TASK_SECONDS / seconds), ceil(count / max(workers, 1))))


def recent_seconds(search: Search, stage: int = 0) -> float | None:
    """Median seconds of the latest runs of a stage, or None before the first."""
    runs = search.candidates.filter(stage=stage, status=Candidate.Status.SCORED, from_cache=False).order_by("-number")
    seconds = [value for value in runs.values_list("seconds", flat=True)[:RECENT] if value]
    return median(seconds) if seconds else None


def alive_workers() -> int:
    """Number of worker processes that were heard of within a lease."""
    return Worker.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)).count()


def _send(task: str, args: list[Any]) -> None:
    try:
        current_app.send_task(task, args=args)
    except Exception as problem:
        log.warning("%s%r was not sent, the sweeper will do it: %r", task, tuple(args), problem)
