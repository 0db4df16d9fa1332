"""Users' names, notes, tags and pins for their searches and candidates. No search ever reads them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from searches import events
from searches.models import Candidate, Search, Tag
from searches.services.lifecycle import locked


def mark(
    candidate: Candidate,
    *,
    pinned: bool | None = None,
    hidden: bool | None = None,
    note: str | None = None,
    tags: Sequence[str] | None = None,
) -> Candidate:
    """Change the given fields of a candidate, and record an event.

    Open pages need the event, because fronts and plots leave hidden candidates out.
    """
    given = {"pinned": pinned, "hidden": hidden, "note": note}
    changed = {name: value for name, value in given.items() if value is not None}
    with transaction.atomic():
        search = locked(candidate.search_id)
        if search is None:
            return candidate
        for name, value in changed.items():
            setattr(candidate, name, value)
        if changed:
            candidate.save(update_fields=list(changed))
        if tags is not None:
            candidate.tags.exclude(name__in=tags).delete()
            Tag.objects.bulk_create((Tag(candidate=candidate, name=name) for name in tags), ignore_conflicts=True)
        events.record(search, [events.candidates([candidate.number])])
    return candidate


def describe(search: Search, *, name: str | None = None, note: str | None = None) -> Search:
    """Change a search's name or note; its configuration keeps the original name."""
    given = {"name": name, "note": note}
    changed = {field: value for field, value in given.items() if value is not None}
    with transaction.atomic():
        row = locked(search.pk)
        if row is not None and changed:
            for field, value in changed.items():
                setattr(row, field, value)
                setattr(search, field, value)
            row.save(update_fields=list(changed))
            events.record(row, [events.status(row)])
    return search
