"""Worker processes, with the details that a user may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from searches.models import Worker

LIMIT = 500
KEPT = timedelta(hours=1)


def recent(user: Any) -> list[dict[str, Any]]:
    """Return the workers that reported within the last hour, without their work for other users."""
    now = timezone.now()
    silent = now - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    workers = Worker.objects.filter(seen_at__gt=now - KEPT).select_related("search")
    return [_row(worker, user, worker.seen_at > silent) for worker in workers[:LIMIT]]


def _row(worker: Worker, user: Any, alive: bool) -> dict[str, Any]:
    mine = worker.search is not None and worker.search.owner_id == user.pk
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "device": worker.device,
        "memory_mb": worker.memory_mb,
        "search": worker.search_id if mine else None,
        "current": worker.current if mine else "",
        "seen_at": worker.seen_at,
        "alive": alive,
    }
