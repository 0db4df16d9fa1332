"""The log of a search after a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from searches.models import Event, Search

LIMIT = 1_000


def after(search: Search, seq: int = 0, limit: int = 500, kinds: Sequence[str] = ()) -> dict[str, Any]:
    """Up to ``limit`` events numbered above ``seq``, of some kinds or all; ``last`` is the number to ask after next.

    ``search`` was read before: events that came since are given or come next time, none is passed over.
    """
    limit = min(limit, LIMIT)
    found = Event.objects.filter(search=search, seq__gt=seq)
    rows = list((found.filter(kind__in=kinds) if kinds else found).order_by("seq")[:limit])
    last = rows[-1].seq if rows else seq
    return {"results": rows, "last": last if len(rows) == limit else max(last, search.event_seq)}
