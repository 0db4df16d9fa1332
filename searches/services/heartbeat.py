"""A thread in each worker process that reports the process's current work and renews its leases."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import psutil
from django.conf import settings
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from searches.models import Evaluation, Search, Training, Worker

LEAST_PAUSE = 1.0
LEASED = (Evaluation.Status.LEASED, Training.Status.RUNNING)
log = logging.getLogger(__name__)


def lease_end() -> datetime:
    """Return the time at which a lease ends if it is taken or renewed now."""
    return timezone.now() + timedelta(seconds=settings.NASWEB_LEASE_SECONDS)


class Heartbeat:
    """The process's row among the workers, and the leases it holds."""

    def __init__(self) -> None:
        self.host = socket.gethostname()
        self.pid = os.getpid()
        self.name = f"{self.host}:{self.pid}"
        self.device = ""
        self._held: QuerySet[Any] | None = None
        self._search: int | None = None
        self._current = ""
        self._told = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(self) -> None:
        """Start the thread that beats every third of a lease; a second call changes nothing.

        A worker process calls this when it begins.
        """
        with self._starting:
            if self._thread is None:
                self._ended.clear()
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and remove the row."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(LEAST_PAUSE)
            self._thread = None
        Worker.objects.filter(name=self.name).delete()

    @contextmanager
    def holding(self, leased: Sequence[Evaluation] | Sequence[Training], search: Search) -> Iterator[None]:
        """Renew the leases while the block runs, and show the first one as the current work.

        Only leases of the present attempt are renewed.
        """
        first = leased[0]
        rows = type(first).objects.filter(pk__in=[row.pk for row in leased], attempts=first.attempts)
        self._held = rows.filter(status__in=LEASED)
        self._search = search.pk
        self.show(first)
        try:
            yield
        finally:
            self._held = None
            self._search = None
            self._current = ""

    def show(self, leased: Evaluation | Training) -> None:
        """Show a network as the current work, at the latest at the next beat."""
        self._current = leased.arch
        if monotonic() - self._told > LEAST_PAUSE:
            self.beat()

    def beat(self) -> None:
        """Renew the leases and write the row."""
        held = self._held  # the other thread may end `holding` at any time
        if held is not None:
            with transaction.atomic():  # rows are locked by number, as everywhere
                mine = list(held.select_for_update().order_by("pk").values_list("pk", flat=True))
                held.filter(pk__in=mine).update(lease_until=lease_end())
        search = Search.objects.filter(pk=self._search or 0).values_list("pk", flat=True).first()
        row = {
            "host": self.host,
            "pid": self.pid,
            "device": self.device,
            "memory_mb": round(psutil.Process(self.pid).memory_info().rss / 1e6, 1),
            "search_id": search,
            "current": self._current,
            "seen_at": timezone.now(),
        }
        if not Worker.objects.filter(name=self.name).update(**row):
            Worker.objects.bulk_create([Worker(name=self.name, **row)], ignore_conflicts=True)
        self._told = monotonic()

    def _run(self) -> None:
        pause = settings.NASWEB_LEASE_SECONDS / 3
        while not self._ended.wait(pause):
            try:
                self.beat()
            except Exception as problem:
                log.warning("the heartbeat of %s was not written: %r", self.name, problem)
            finally:
                connections.close_all()


_heartbeat: Heartbeat | None = None


def heartbeat() -> Heartbeat:
    """Return the heartbeat of this process."""
    global _heartbeat
    if _heartbeat is None or _heartbeat.pid != os.getpid():
        _heartbeat = Heartbeat()
    return _heartbeat
