"""Latency tables and timed networks as rows: add, measure, cancel, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from engine.blueprint import InputSpec
from engine.config.latency import LatencyOptions, LatencyRequest
from engine.errors import DataError
from engine.latency import LatencyTable as Latencies
from engine.registry import SPACES, create_space
from searches.models import Candidate, LatencyTable, NetworkLatency
from searches.services import dispatching, sources
from searches.services.errors import ActionRefused
from searches.services.resolving import SHAPE, resolve_data

TABLE, NETWORK = "table", "network"
LARGEST = 20_000_000
"""The largest uploaded table in bytes."""
Status = LatencyTable.Status


def add_table(owner: Any, name: str, file: UploadedFile) -> LatencyTable:
    """Store an uploaded CSV or JSON table; DataError names what is wrong with it."""
    if (file.size or 0) > LARGEST:
        raise DataError(f"A latency table may have at most {LARGEST // 1_000_000} MB; this file is larger.")
    table = Latencies.read(file.read())
    return LatencyTable.objects.create(owner=owner, name=name, status=Status.READY, **content(table))


def content(table: Latencies) -> dict[str, Any]:
    """Return the fields of a finished row."""
    fields = {"entries": table.named, "total": len(table), "done": len(table), "content_hash": table.content_hash}
    return {**fields, "finished_at": timezone.now()}


def measure_table(owner: Any, request: LatencyRequest) -> LatencyTable:
    """Have a worker measure all operators of a space; ConfigError names the faulty field."""
    info = resolve_data(owner, request.dataset)[1] if request.dataset is not None else {}
    size = request.input
    spec = InputSpec(*(info[name] for name in SHAPE)) if size is None else InputSpec(**size.model_dump())
    total = len(create_space(request.space, spec).operators())
    where = info.get("label") or f"{spec.channels}x{spec.height}x{spec.width}"
    with transaction.atomic():
        table = LatencyTable.objects.create(
            owner=owner,
            name=request.name or f"{SPACES[request.space.kind].label} on {where}"[:200],
            space=request.space.model_dump(mode="json"),
            spec=[spec.channels, spec.height, spec.width, spec.classes],
            options=request.measurement.model_dump(mode="json"),
            total=total,
        )
        dispatching.measure(TABLE, table)
    return table


def measure_network(candidate: Candidate, raw: Mapping[str, Any]) -> NetworkLatency:
    """Have a worker time a candidate's whole network; ConfigError names the faulty option."""
    options = LatencyOptions.parse(raw)
    with transaction.atomic():
        row = NetworkLatency.objects.create(candidate=candidate, options=options.model_dump(mode="json"))
        dispatching.measure(NETWORK, row)
    return row


def cancel(row: LatencyTable | NetworkLatency) -> None:
    """End a measurement within seconds; raises ActionRefused if it has already ended."""
    still = type(row).objects.filter(pk=row.pk, status__in=row.OPEN)
    if not still.update(status=Status.CANCELLED, lease_until=None, finished_at=timezone.now()):
        raise ActionRefused(f"“{row}” is no longer being measured.")
    row.refresh_from_db()


def delete_table(row: LatencyTable) -> None:
    """Delete a table and end its measurement if it is running; raises ActionRefused while a search uses the table."""
    sources.delete_unused(row)
