"""Worker processes that died at work: their leases end when their parent sees it, not when they would run out."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Sequence
from typing import Any

import psutil
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
    for model, keys in _work(task, arguments):
        held = model._default_manager.filter(pk__in=keys, lease_until__gt=timezone.now())
        names = [row.name for row in _dead(held.values("worker"))]
        told = {"error": reason} if model is Evaluation else {}
        held.filter(worker__in=names).update(lease_until=timezone.now(), **told)
        Worker.objects.filter(name__in=names).delete()
        for name in names:
            log.warning("%s is lost: %s", name, reason)


def in_words(problem: str) -> str:
    """How a process ended, of Celery's ``Worker exited prematurely: signal 9 (SIGKILL) Job: 4.``."""
    signal = re.search(r"signal \d+ \((\w+)\)", problem)
    if signal is None:
        return "its process ended by itself"
    return OUT_OF_MEMORY if signal[1] == "SIGKILL" else f"its process crashed ({signal[1]})"


def _work(task: str, arguments: Sequence[Any]) -> list[tuple[Any, Sequence[int]]]:
    """The rows that a task leases."""
    if task == dispatching.SCORE:
        return [(Evaluation, arguments[0])]
    if task == dispatching.TRAIN:
        return [(Training, arguments)]
    if task == dispatching.MEASURE:
        return [(measuring.MODELS[arguments[0]], arguments[1:])]
    return []


def _dead(names: Any) -> list[Worker]:
    here = Worker.objects.filter(name__in=names, host=socket.gethostname())
    return [worker for worker in here if not psutil.pid_exists(worker.pid)]
