"""Worker processes that died at work: their leases end when their parent sees it, not when they would run out."""

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
    """Ends the leases that a dead process of this machine held for a task; `sweeping` hands the work out again.

    ``problem`` is what Celery says of the process's end.
    """
    reason = in_words(problem)
    held = _leased(task, arguments).filter(lease_until__gt=timezone.now())
    names = [worker.name for worker in _dead(held.values("worker"))]
    told = {"error": reason} if held.model is Evaluation else {}  # of the others it is why they ended
    with transaction.atomic():  # rows are locked by number, as everywhere
        rows = list(held.filter(worker__in=names).select_for_update().order_by("pk").values_list("pk", flat=True))
        held.filter(pk__in=rows).update(lease_until=timezone.now(), **told)
    Worker.objects.filter(name__in=names).delete()
    for name in names:
        log.warning("%s is lost: %s", name, reason)


def in_words(problem: str) -> str:
    """How a process ended, of Celery's ``Worker exited prematurely: signal 9 (SIGKILL) Job: 4.``."""
    signal = re.search(r"signal \d+ \((\w+)\)", problem)
    if signal is None:
        return "its process ended by itself"
    return OUT_OF_MEMORY if signal[1] == "SIGKILL" else f"its process crashed ({signal[1]})"


def _leased(task: str, arguments: Sequence[Any]) -> QuerySet[Any]:
    """The rows that a task leases; advancing a search takes none."""
    if task == dispatching.SCORE:
        return Evaluation.objects.filter(pk__in=arguments[0])
    if task == dispatching.TRAIN:
        return Training.objects.filter(pk__in=arguments)
    if task == dispatching.MEASURE:
        rows: QuerySet[Any] = measuring.MODELS[arguments[0]]._default_manager.filter(pk__in=arguments[1:])
        return rows
    return Evaluation.objects.none()


def _dead(names: QuerySet[Any]) -> list[Worker]:
    """Those of the workers of this machine whose processes are no more."""
    here = Worker.objects.filter(name__in=names, host=socket.gethostname())
    return [worker for worker in here if not psutil.pid_exists(worker.pid)]
