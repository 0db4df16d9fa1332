"""Worker processes that died at work: their parent ends their leases at once, before the leases expire."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Sequence
from typing import Any

import psutil
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from searches.models import Evaluation, Training, Worker
from searches.services import dispatching, measuring

OUT_OF_MEMORY = "its process was killed (SIGKILL), as happens when memory runs out"
log = logging.getLogger(__name__)


def process_died(task: str, arguments: Sequence[Any], problem: str) -> None:
    """End the leases that a dead process of this machine held for a task; `sweeping` dispatches the work again.

    ``problem`` is Celery's message about the end of the process.
    """
    reason = in_words(problem)
    held = _leased(task, arguments).filter(lease_until__gt=timezone.now())
    names = [worker.name for worker in _dead(held.values("worker"))]
    told = {"error": reason} if held.model is Evaluation else {}  # in other rows `error` says why they ended
    with transaction.atomic():  # rows are locked by number, as everywhere
        rows = list(held.filter(worker__in=names).select_for_update().order_by("pk").values_list("pk", flat=True))
        held.filter(pk__in=rows).update(lease_until=timezone.now(), **told)
    Worker.objects.filter(name__in=names).delete()
    for name in names:
        log.warning("%s was lost: %s", name, reason)


def in_words(problem: str) -> str:
    """Describe how a process ended, given a message like ``Worker exited prematurely: signal 9 (SIGKILL) Job: 4.``."""
    signal = re.search(r"signal \d+ \((\w+)\)", problem)
    if signal is None:
        return "its process ended by itself"
    return OUT_OF_MEMORY if signal[1] == "SIGKILL" else f"its process crashed ({signal[1]})"


def _leased(task: str, arguments: Sequence[Any]) -> QuerySet[Any]:
    """Return the rows that a task leases; the task that advances a search leases none."""
    if task == dispatching.SCORE:
        return Evaluation.objects.filter(pk__in=arguments[0])
    if task == dispatching.TRAIN:
        return Training.objects.filter(pk__in=arguments)
    if task == dispatching.MEASURE:
        rows: QuerySet[Any] = measuring.MODELS[arguments[0]]._default_manager.filter(pk__in=arguments[1:])
        return rows
    return Evaluation.objects.none()


def _dead(names: QuerySet[Any]) -> list[Worker]:
    """Return the named workers of this machine whose processes no longer exist."""
    here = Worker.objects.filter(name__in=names, host=socket.gethostname())
    return [worker for worker in here if not psutil.pid_exists(worker.pid)]
