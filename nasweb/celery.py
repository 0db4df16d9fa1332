"""The Celery application, and the actions of a worker process at its start and end."""

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
    """Limit every process of a worker to ``NASWEB_TORCH_THREADS`` threads (one by default).

    Torch reads the limit when a child imports it for its first estimate. The parent never imports torch, so forking is
    safe.
    """
    threads = os.environ.get("NASWEB_TORCH_THREADS", "1")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, threads)


@signals.worker_process_init.connect
def start_heartbeat(**_: Any) -> None:
    """Register the process as a worker, and exclude the objects from before the fork from garbage collection."""
    from searches.services.heartbeat import heartbeat

    gc.freeze()
    heartbeat().start()


@signals.task_failure.connect
def free_leases(sender: Task, exception: BaseException, args: Sequence[Any], **_: Any) -> None:
    """Free the leases of a process that died at work; this runs in its parent."""
    if isinstance(exception, WorkerLostError):
        from django.db import connections

        from searches.services import losses

        try:
            losses.process_died(sender.name, args, str(exception))
        finally:
            connections.close_all()  # the process that is forked next must not inherit a connection


@signals.worker_process_shutdown.connect
def stop_heartbeat(**_: Any) -> None:
    """Remove the process from the list of workers."""
    from searches.services.heartbeat import heartbeat

    heartbeat().stop()
