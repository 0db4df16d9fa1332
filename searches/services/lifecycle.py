"""The only module that changes the status of a search; callers hold the lock of its row."""

from __future__ import annotations

from django.utils import timezone

from searches import events
from searches.models import Search
from searches.services.recording import is_waiting

Status = Search.Status
STOPPED = "stopped before its budget was spent"


def locked(search_id: int, **conditions: object) -> Search | None:
    """Return the row, locked until the end of the transaction, or None if it is gone or the conditions do not hold."""
    return Search.objects.select_for_update().filter(pk=search_id, **conditions).first()


def change(search: Search, status: Search.Status, reason: str = "") -> None:
    """Set the status of a search with the reason in words, save it and record the event."""
    search.status = status
    search.status_reason = reason
    if status == Status.RUNNING and search.started_at is None:
        search.started_at = timezone.now()
    search.finished_at = timezone.now() if status in Search.ENDED else None
    search.save(update_fields=["status", "status_reason", "started_at", "finished_at"])
    events.record(search, [events.status(search)])


def halt(search: Search) -> None:
    """Complete a pause or a stop once nothing is being scored."""
    if search.status == Status.PAUSING and not is_waiting(search):
        change(search, Status.PAUSED)
    elif search.status == Status.STOPPING and not is_waiting(search):
        change(search, Status.FINISHED, STOPPED)
