"""The Celery application, and what a worker process does when it starts and ends."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Celery, Task, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")

app = Celery("nasweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def limit_threads(**_: Any) -> None:
    """Every process of a worker computes with ``NASWEB_TORCH_THREADS`` threads (one by default).

    Read by torch when a child imports it for its first estimate; the parent never does, so forking is safe.
    """
    threads = os.environ.get("NASWEB_TORCH_THREADS", "1")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, threads)


@signals.worker_process_init.connect
def start_heartbeat(**_: Any) -> None:
    """Registers the process among the workers; what it was forked with is left out of collections."""
    from searches.services.heartbeat import heartbeat

    gc.freeze()
    heartbeat().start()


@signals.task_failure.connect
def free_leases(sender: Task, exception: BaseException, args: Sequence[Any], **_: Any) -> None:
    """In the parent of a process that died at work: what it held is free at once."""
    if isinstance(exception, WorkerLostError):
        from django.db import connections

        from searches.services import losses

        try:
            losses.process_died(sender.name, args, str(exception))
        finally:
            connections.close_all()  # the process forked next must not inherit any


@signals.worker_process_shutdown.connect
def stop_heartbeat(**_: Any) -> None:
    """Takes the process off the list of workers."""
    from searches.services.heartbeat import heartbeat

    heartbeat().stop()
