"""The log of a search after a number."""

from __future__ import annotations

from typing import Any

from searches.models import Event, Search

LIMIT = 1_000


def after(search: Search, seq: int = 0, limit: int = 500) -> dict[str, Any]:
    """Up to ``limit`` events numbered above ``seq``; ``last`` is the number to ask after next."""
    rows = list(Event.objects.filter(search=search, seq__gt=seq).order_by("seq")[: min(limit, LIMIT)])
    return {"results": rows, "last": rows[-1].seq if rows else seq}
