"""The one place where a search's status changes; callers hold the row's lock."""

from __future__ import annotations

from django.utils import timezone

from searches import events
from searches.models import Search
from searches.services.recording import is_waiting

Status = Search.Status
STOPPED = "stopped before its budget was spent"


def locked(search_id: int, **conditions: object) -> Search | None:
    """The row, locked until the end of the transaction; None when it is gone or does not meet the conditions."""
    return Search.objects.select_for_update().filter(pk=search_id, **conditions).first()


def change(search: Search, status: Search.Status, reason: str = "") -> None:
    """Puts the search into a state, with the reason in words, and writes the event."""
    search.status, search.status_reason = status, reason
    if status == Status.RUNNING and search.started_at is None:
        search.started_at = timezone.now()
    search.finished_at = timezone.now() if status in Search.ENDED else None
    search.save(update_fields=["status", "status_reason", "started_at", "finished_at"])
    events.record(search, [events.status(search)])


def halt(search: Search) -> None:
    """Completes a pause or a stop once nothing is being scored any more."""
    if search.status == Status.PAUSING and not is_waiting(search):
        change(search, Status.PAUSED)
    elif search.status == Status.STOPPING and not is_waiting(search):
        change(search, Status.FINISHED, STOPPED)
