"""The events of a search that follow a given number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from searches.models import Event, Search

LIMIT = 1_000


def after(search: Search, seq: int = 0, limit: int = 500, kinds: Sequence[str] = ()) -> dict[str, Any]:
    """Return up to ``limit`` events after number ``seq``, of the given kinds or of all.

    ``last`` is the number for the next call. Events recorded after ``search`` was read are returned now or by the next
    call; none is skipped.
    """
    limit = min(limit, LIMIT)
    found = Event.objects.filter(search=search, seq__gt=seq)
    rows = list((found.filter(kind__in=kinds) if kinds else found).order_by("seq")[:limit])
    last = rows[-1].seq if rows else seq
    return {"results": rows, "last": last if len(rows) == limit else max(last, search.event_seq)}
