"""Latency tables and timed networks as rows: add, ask to be measured, cancel, delete."""

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
"""Bytes of an uploaded table."""
Status = LatencyTable.Status


def add_table(owner: Any, name: str, file: UploadedFile) -> LatencyTable:
    """Keeps an uploaded CSV or JSON table; DataError says what is wrong with it."""
    if (file.size or 0) > LARGEST:
        raise DataError(f"A latency table has at most {LARGEST // 1_000_000} MB; this file is larger.")
    table = Latencies.read(file.read())
    return LatencyTable.objects.create(owner=owner, name=name, status=Status.READY, **content(table))


def content(table: Latencies) -> dict[str, Any]:
    """The fields of a row that is ready."""
    fields = {"entries": table.named, "total": len(table), "done": len(table), "content_hash": table.content_hash}
    return {**fields, "finished_at": timezone.now()}


def measure_table(owner: Any, request: LatencyRequest) -> LatencyTable:
    """Has all operators of a space measured by a worker; ConfigError names the field that cannot be met."""
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
    """Has a candidate's whole network timed by a worker; ConfigError names a faulty option."""
    options = LatencyOptions.parse(raw)
    with transaction.atomic():
        row = NetworkLatency.objects.create(candidate=candidate, options=options.model_dump(mode="json"))
        dispatching.measure(NETWORK, row)
    return row


def cancel(row: LatencyTable | NetworkLatency) -> None:
    """Ends a measurement within seconds; ActionRefused when it has ended."""
    still = type(row).objects.filter(pk=row.pk, status__in=row.OPEN)
    if not still.update(status=Status.CANCELLED, lease_until=None, finished_at=timezone.now()):
        raise ActionRefused(f"“{row}” is not being measured any more.")
    row.refresh_from_db()


def delete_table(row: LatencyTable) -> None:
    """ActionRefused while a search uses it; a measurement under way ends."""
    sources.delete_unused(row)
