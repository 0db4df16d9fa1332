"""The log of a search and its doorbell.

Events are rows, written in the caller's transaction. The doorbell only says that there are new rows. It rings from a
thread with its own event loop, at most every `PAUSE` seconds and always after the last change. If the broker is
unreachable, a ring is lost but no row is.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from engine.calibration import Numbers
from searches.models import Event, Search

PAUSE = 0.25
RING_SECONDS = 2.0
NUMBERS = {"lam": "exponent", "std": "deviation", "mean": "mean"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """An event that is not yet recorded: its kind, a sentence for the log, and the payload of its kind."""

    kind: Event.Kind
    message: str = ""
    payload: dict[str, Any] = field(default_factory=dict)


def status(search: Search) -> Entry:
    """Return the event of the search's present status."""
    message = f"{search.status}: {search.status_reason}" if search.status_reason else str(search.status)
    return Entry(Event.Kind.STATUS, message, {"status": str(search.status), "reason": search.status_reason})


def candidates(numbers: Sequence[int]) -> Entry:
    """Return the event that these candidates changed, for example because they were scored, failed or marked."""
    return Entry(Event.Kind.CANDIDATES, payload={"numbers": list(numbers)})


def round_told(number: int, asked: int, scored: int) -> Entry:
    """Return the event that a round was told to the algorithm."""
    message = f"round {number + 1}: {scored} of {asked} scored"
    return Entry(Event.Kind.ROUND, message, {"round": number, "asked": asked, "scored": scored})


def calibrated(label: str, networks: int, constants: Numbers) -> Entry:
    """Return the event of a calibration.

    An estimate's constants were fitted to ``networks`` networks, and all scores were computed again with them.
    """
    numbers = (
        f"{term} " + ", ".join(f"{NUMBERS[name]} {value:.3f}" for name, value in fitted.items())
        for term, fitted in constants.items()
    )
    message = f"{label} calibrated on {networks} networks, scores recomputed without training: {'; '.join(numbers)}"
    return Entry(Event.Kind.LOG, message, {"networks": networks})


def failure(number: int, arch: str, error: str) -> Entry:
    """Return the event that a candidate could not be scored."""
    return Entry(Event.Kind.ERROR, f"#{number} {arch}: {error}", {"candidate": number, "error": error})


def lost(number: int, arch: str, worker: str, reason: str) -> Entry:
    """Return the event that a worker was lost while it scored a candidate."""
    why = f": {reason}" if reason else ""
    message = f"#{number} {arch}: {worker} was lost{why}; the network is dispatched again"
    return Entry(Event.Kind.LOG, message, {"candidate": number})


def error(message: str) -> Entry:
    """Return the event of an error of the search itself or of a full training."""
    return Entry(Event.Kind.ERROR, message)


def record(search: Search, entries: Sequence[Entry]) -> None:
    """Write the entries as the search's next events, in the caller's transaction, and ring after the commit."""
    if not entries:
        return
    with transaction.atomic():
        Search.objects.filter(pk=search.pk).update(event_seq=F("event_seq") + len(entries))
        search.event_seq = last = Search.objects.values_list("event_seq", flat=True).get(pk=search.pk)
        first = last - len(entries) + 1
        Event.objects.bulk_create(
            Event(search=search, seq=first + index, kind=e.kind, message=e.message, payload=e.payload)
            for index, e in enumerate(entries)
        )
        transaction.on_commit(partial(ring, search.pk, search.owner_id, last), robust=True)


def ring(search_id: int, owner_id: int, seq: int) -> None:
    """Notify the pages of a search and its owner's list that ``seq`` is the last event; this returns at once."""
    global _doorbell
    with _starting:
        if _doorbell is None or _doorbell.pid != os.getpid():
            _doorbell = Doorbell()
            atexit.register(_doorbell.close)
    _doorbell.ring((search_id, owner_id), seq)


class Doorbell:
    """A thread that collects rings and sends the latest ring of every search, at most every `PAUSE` seconds."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._latest: dict[tuple[int, int], int] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
        self._thread.start()

    def ring(self, search: tuple[int, int], seq: int) -> None:
        """Keep the ring of a search (search and owner number) until it is sent; a later ring replaces it."""
        with self._changed:
            self._latest[search] = max(seq, self._latest.get(search, 0))
            self._changed.notify()

    def close(self) -> None:
        """Send the waiting rings and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self.pid == os.getpid():
            self._thread.join(RING_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._latest or self._closing)
                    latest = self._latest
                    self._latest = {}
                    closing = self._closing
                try:
                    runner.run(asyncio.wait_for(_send(latest), RING_SECONDS))
                except Exception as problem:
                    log.warning("the doorbell did not ring: %r", problem)
                if closing:
                    return
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, PAUSE)


async def _send(latest: dict[tuple[int, int], int]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for (search_id, owner_id), seq in latest.items():
        await layer.group_send(f"search.{search_id}", {"type": "doorbell", "seq": seq})
        await layer.group_send(f"searches.{owner_id}", {"type": "doorbell", "search": search_id, "seq": seq})


_doorbell: Doorbell | None = None
_starting = threading.Lock()
