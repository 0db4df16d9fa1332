"""Rows for tests, made directly, without the engine and without a broker."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from engine.config.search import SearchConfig
from searches.models import Candidate, Evaluation, Search, SearchSpace

CONFIG = {
    "name": "digits",
    "space": {"kind": "nats_size"},
    "dataset": {"kind": "digits"},
    "estimator": {"kind": "mote"},
    "objective": {"cost_metric": "madds_m", "hi": 30.0},
    "budget": {"evaluations": 100},
}
DATA = {"label": "Digits", "channels": 1, "height": 8, "width": 8, "classes": 10}
_numbers = itertools.count(1)


def make_user(name: str = "", **fields: Any) -> Any:
    """Return a new user; ``is_staff`` makes an administrator."""
    users = get_user_model().objects
    return users.create_user(name or f"user{next(_numbers)}", password="a long enough password", **fields)


def make_space(owner: Any, **fields: Any) -> SearchSpace:
    """Return the five-layer size space as a row."""
    defaults = {"name": "Sizes", "kind": "nats_size", "options": {"kind": "nats_size"}, "size": "32768", "depth": 5}
    return SearchSpace.objects.create(owner=owner, content_hash=f"space{next(_numbers)}", **defaults | fields)


def make_search(owner: Any, **fields: Any) -> Search:
    """Return a running search over the size space; ``config`` has all defaults."""
    config = SearchConfig.parse(fields.pop("config", CONFIG)).as_dict()
    defaults: dict[str, Any] = {
        "name": config["name"],
        "config": config,
        "data_info": DATA,
        "status": Search.Status.RUNNING,
        "budget_evaluations": config["budget"]["evaluations"],
        "started_at": timezone.now() - timedelta(minutes=5),
    }
    if "space" not in fields:
        fields["space"] = make_space(owner)
    return Search.objects.create(owner=owner, **defaults | fields)


def make_candidates(search: Search, rows: Iterable[dict[str, Any]]) -> list[Candidate]:
    """Return one candidate per row of fields, with consecutive numbers; those without a score stay proposed."""
    first = search.candidates.count()
    candidates = []
    for number, fields in enumerate(rows, first):
        status = Candidate.Status.SCORED if fields.get("score") is not None else Candidate.Status.PROPOSED
        choices = [number // 8**i % 8 for i in range(5)]
        evaluation = Evaluation(
            key=f"key{next(_numbers)}", space_hash="x", choices=choices, arch="x", estimator="mote", identity="x"
        )
        defaults = {
            "number": number,
            "round": number // 8,
            "choices": choices,
            "arch": ":".join(str(8 * (c + 1)) for c in choices),
            "origin": "extend",
            "status": status,
            "scored_at": timezone.now() if status == Candidate.Status.SCORED else None,
        }
        candidates.append(Candidate(search=search, evaluation=evaluation, **defaults | fields))
    Evaluation.objects.bulk_create([c.evaluation for c in candidates])
    Candidate.objects.bulk_create(candidates)
    return candidates
