"""Searches of one owner, with their progress and speed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from engine.config.search import SearchConfig
from searches.models import Candidate, Search
from searches.selectors import history, spaces

RATE_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class SearchProgress:
    """The progress of a search.

    ``bound`` is the largest number of evaluations (of the budget or the algorithm), or None if only seconds are
    limited. ``share`` is between 0 and 1. ``rate`` is in evaluations per minute over the last minute, or None while
    nothing runs. ``eta`` is in seconds.
    """

    evaluated: int
    bound: int | None
    share: float
    rate: float | None
    eta: float | None


def owned(owner: Any) -> QuerySet[Search]:
    """Return the owner's searches, newest first, with everything that a list shows in one query."""
    return Search.objects.filter(owner=owner).select_related("space", "dataset", "table", "best").order_by("-id")


def rates(searches: Sequence[Search], now: datetime | None = None) -> dict[int, float]:
    """Return evaluations per minute by search id for the active searches, with one query."""
    active = {search.pk: search for search in searches if search.is_active}
    if not active:
        return {}
    now = now or timezone.now()
    counts = (
        Candidate.objects.filter(search__in=active, scored_at__gt=now - RATE_WINDOW)
        .order_by()
        .values_list("search")
        .annotate(count=Count("id"))
    )
    recent = dict(counts)
    return {pk: recent.get(pk, 0) / _minutes(search, now) for pk, search in active.items()}


def progress(search: Search, rate: float | None) -> SearchProgress:
    """Return the progress of a search; ``rate`` comes from `rates`."""
    evaluated = search.scored + search.finals + search.failed
    limits = [search.budget_evaluations, int(search.bound) if search.bound else None]
    bound = min((limit for limit in limits if limit is not None), default=None)
    shares = [evaluated / bound] if bound else []
    if search.budget_seconds:
        shares.append(search.charged_seconds / search.budget_seconds)
    finished = search.status == Search.Status.FINISHED
    share = 1.0 if finished else min(1.0, max(shares, default=0.0))
    eta = None
    if rate and share and search.is_active:
        eta = max(0.0, evaluated / share - evaluated) / rate * 60
    return SearchProgress(evaluated, bound, share, rate, eta)


def layers_progress(search: Search) -> list[dict[str, Any]]:
    """Return the number of scored candidates per layer, in the order in which the layers are searched."""
    scored = history.layers(search)
    names = spaces.of_search(search).layer_names
    order = spaces.searched_layers(search)
    return [{"layer": layer, "name": names[layer], "scored": scored.get(layer, 0)} for layer in order]


def as_yaml(search: Search) -> str:
    """Return the configuration as YAML; cached, because a page that follows its search asks for it repeatedly."""
    return _yaml(search.configuration.model_dump_json())


@lru_cache(maxsize=64)
def _yaml(config: str) -> str:
    return SearchConfig.stored(json.loads(config)).to_yaml()


def failures(search: Search, limit: int = 5) -> list[dict[str, Any]]:
    """Return the latest failed candidates with their errors."""
    failed = Candidate.objects.filter(search=search, status=Candidate.Status.FAILED).order_by("-number")
    return [dict(row) for row in failed.values("number", "arch", "error")[:limit]]


def _minutes(search: Search, now: datetime) -> float:
    """Return the length of the window in minutes; it is shorter if the search is younger than the window."""
    age = now - search.started_at if search.started_at else RATE_WINDOW
    return max(min(age, RATE_WINDOW), timedelta(seconds=1)) / timedelta(minutes=1)
