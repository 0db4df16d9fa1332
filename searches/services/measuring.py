"""Long work on a row in a worker (latencies, benchmark files): lease the row, and write progress about every second."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from engine.blueprint import InputSpec
from engine.config.latency import LatencyOptions, LatencyRequest
from engine.errors import DataError, EngineError, Stopped
from engine.latency import LatencyTable as Latencies
from engine.registry import create_space
from engine.tabular_benchmarks import TABULAR_BENCHMARKS
from searches.models import BenchmarkFile, LatencyTable, NetworkLatency
from searches.models.latency import Measurement
from searches.selectors import tabular
from searches.services import dispatching
from searches.services.export_jobs import architecture_of
from searches.services.heartbeat import heartbeat, lease_end
from searches.services.latencies import NETWORK, TABLE, content
from searches.services.tabular_files import BENCHMARK

MAX_ATTEMPTS = 3
PAUSE = 1.0
LOST = "the worker was lost three times while measuring (out of memory?)"
MODELS: dict[str, Any] = {TABLE: LatencyTable, NETWORK: NetworkLatency, BENCHMARK: BenchmarkFile}
Status = LatencyTable.Status
log = logging.getLogger(__name__)


def measure(kind: str, pk: int) -> None:
    """Do the work of a row of `MODELS`, unless another process has leased it or it has ended.

    Errors are written to the row.
    """
    model = MODELS[kind]
    waiting = Q(status=Status.WAITING) | Q(status=Status.MEASURING, lease_until__lt=timezone.now())
    leased = {"status": Status.MEASURING, "attempts": F("attempts") + 1, "worker": heartbeat().name}
    if not model.objects.filter(waiting, pk=pk, attempts__lt=MAX_ATTEMPTS).update(**leased, lease_until=lease_end()):
        return
    row = model.objects.get(pk=pk)
    held = Held(row)
    try:
        held.end(Status.READY, **WORK[kind](row, held))
    except Stopped:
        return
    except EngineError as error:
        held.end(Status.FAILED, error=str(error))
    except Exception as error:
        log.exception("%s could not be measured", row)
        held.end(Status.FAILED, error=f"{type(error).__name__}: {error}")


class Held:
    """The lease of a row.

    After the row was cancelled, deleted or taken by another process, nothing is written and ``stop`` returns true.
    """

    def __init__(self, row: Measurement) -> None:
        self._mine = type(row)._default_manager.filter(pk=row.pk, status=Status.MEASURING, attempts=row.attempts)
        self._told = monotonic()
        self._lost = False

    def tell(self, progress: Callable[[], dict[str, Any]] = dict) -> None:
        """Renew the lease and write the progress, at most once in `PAUSE` seconds."""
        if not self._lost and monotonic() - self._told >= PAUSE:
            self._lost = not self._mine.update(lease_until=lease_end(), **progress())
            self._told = monotonic()

    def stop(self) -> bool:
        """Return whether the lease is lost, so that the result is no longer needed."""
        self.tell()
        return self._lost

    def end(self, status: Measurement.Status, **fields: Any) -> None:
        """Write the final status and fields, and end the lease."""
        self._mine.update(**{"finished_at": timezone.now(), **fields, "status": status, "lease_until": None})


def _table(row: LatencyTable, held: Held) -> dict[str, Any]:
    """Measure the operators that earlier attempts did not measure, in the order of their names."""
    from engine.networks.latency import machine, measure_operators

    options = LatencyOptions.stored(row.options)
    request = LatencyRequest.stored({"space": row.space, "input": {}})
    space = create_space(request.space, InputSpec(*row.spec))
    known = dict(row.entries)
    wanted = sorted((op for op in space.operators() if op.name not in known), key=lambda op: op.name)
    for operator, timing in measure_operators(wanted, options, held.stop):
        known[operator.name] = timing.median_ms
        held.tell(lambda: {"entries": known, "done": len(known)})
    return {"machine": machine(options), **content(Latencies.of(known.items()))}


def _network(row: NetworkLatency, held: Held) -> dict[str, Any]:
    from engine.networks.latency import machine, measure_network

    options = LatencyOptions.stored(row.options)
    space, architecture = architecture_of(row.candidate)
    timing = measure_network(space.blueprint(architecture), options, held.stop)
    found = {"median_ms": timing.median_ms, "low_ms": timing.low_ms, "high_ms": timing.high_ms}
    return {"machine": machine(options), "repeats": timing.repeats, **found}


def _benchmark(row: BenchmarkFile, held: Held) -> dict[str, Any]:
    """Convert the official file; after an interruption, reading starts from the beginning."""
    from engine.tabular.convert import convert

    source = TABULAR_BENCHMARKS[row.name].find(tabular.folder())
    if source is None:
        raise DataError("the official file no longer exists")

    def progress(done: int, total: int) -> None:
        held.tell(lambda: {"done": done, "total": total})

    rows = convert(row.name, source, tabular.converted(row.name), progress, held.stop)
    return {"done": rows, "total": rows, "machine": source.name}


WORK: dict[str, Callable[[Any, Held], dict[str, Any]]] = {TABLE: _table, NETWORK: _network, BENCHMARK: _benchmark}


def sweep() -> None:
    """Dispatch again the rows that were never sent, were sent long ago, or were leased by a lost worker.

    A row fails after `MAX_ATTEMPTS` lost workers.
    """
    now = timezone.now()
    old = now - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    unsent = Q(status=Status.WAITING) & (Q(dispatched_at=None) | Q(dispatched_at__lt=old))
    lost = Q(status=Status.MEASURING, lease_until__lt=now)
    for kind, model in MODELS.items():
        given_up = model.objects.filter(lost, attempts__gte=MAX_ATTEMPTS)
        given_up.update(status=Status.FAILED, error=LOST, lease_until=None, finished_at=now)
        for row in model.objects.filter(unsent | lost):
            with transaction.atomic():
                dispatching.measure(kind, row)
