"""Making searches: everything is checked first, then the row is written and its first task is sent."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from engine.config.search import SearchConfig
from engine.registry import ALGORITHMS, SPACES
from searches import events
from searches.models import Search, SearchSpace
from searches.selectors import comparison
from searches.services import dispatching
from searches.services.preflight import check, preflight
from searches.services.resolving import Resolved, resolve

TRIAL_NETWORKS = 2
__all__ = ["clone", "create", "preflight", "repeat", "trial"]
SEED_MARK = " (seed "


def create(
    owner: Any, config: SearchConfig, *, idempotency_key: str | None = None, local_files: bool | None = None
) -> Search:
    """Return a queued search, or the one that this key made before; ConfigError names the field that cannot be met."""
    if idempotency_key and (made := _made(owner, idempotency_key)):
        return made
    resolved = resolve(owner, config, local_files=local_files)
    bound = check(resolved).bound
    try:
        with transaction.atomic():
            return _write(owner, resolved, bound, idempotency_key)
    except IntegrityError:
        if idempotency_key and (made := _made(owner, idempotency_key)):
            return made
        raise


def is_of(search: Search, config: SearchConfig) -> bool:
    """Return whether a configuration is the search's.

    The hash of its latency table, which was added when the search was made, may be left out.
    """
    document = config.as_dict()
    document["objective"]["latency_hash"] = config.objective.latency_hash or search.configuration.objective.latency_hash
    return search.configuration.as_dict() == document


def trial(owner: Any, config: SearchConfig) -> Search:
    """Return a short random search with the same estimates and space, which measures how long an evaluation takes.

    Its scores are kept like those of any search, so the search that follows does not score the same networks again.
    """
    document = config.as_dict()
    count = TRIAL_NETWORKS
    if document["final"] is not None:
        document["final"]["count"] = 1
        count += 1
    name = f"Trial: {config.name}" if config.name else "Trial"
    short = {"name": name[:200], "algorithm": {"kind": "random"}, "budget": {"evaluations": count}, "round_size": count}
    return create(owner, SearchConfig.parse(document | short))


def clone(search: Search) -> dict[str, Any]:
    """Return the configuration of a search, to be sent or edited as a new one."""
    return search.configuration.as_dict()


def repeat(search: Search, count: int, *, local_files: bool | None = None) -> list[Search]:
    """Start ``count`` more searches with the same settings, and return them.

    Their seeds follow the largest seed that a repeat has used.
    """
    config = search.configuration
    first = max(other.configuration.seed for other in comparison.repeats(search)) + 1
    name = search.name.rpartition(SEED_MARK)[0] or search.name
    made = []
    for seed in range(first, first + count):
        mark = f"{SEED_MARK}{seed})"
        again = config.model_copy(update={"seed": seed, "name": name[: 200 - len(mark)] + mark})
        made.append(create(search.owner, SearchConfig.stored(again.as_dict()), local_files=local_files))
    return made


def _made(owner: Any, key: str) -> Search | None:
    return Search.objects.filter(owner=owner, idempotency_key=key).first()


def _write(owner: Any, resolved: Resolved, bound: int | None, key: str | None) -> Search:
    config = resolved.config
    search = Search.objects.create(
        owner=owner,
        name=config.name or _name(resolved),
        config=_with_hash(resolved),
        space=_space(owner, resolved),
        dataset=resolved.dataset,
        table=resolved.table_row,
        latency_table=resolved.latency_row,
        final_table=resolved.stages[-1].table_row if config.final is not None else None,
        data_info=resolved.data_info,
        idempotency_key=key,
        status=Search.Status.QUEUED,
        budget_evaluations=config.budget.evaluations,
        budget_seconds=config.budget.seconds,
        bound="" if bound is None else str(bound),
    )
    events.record(search, [events.status(search)])
    dispatching.advance(search.pk)
    return search


def _with_hash(resolved: Resolved) -> dict[str, Any]:
    """Return the document to store: what defines the search includes the times of its latency table."""
    content_hash = resolved.latency_row and resolved.latency_row.content_hash
    return {**resolved.document, "objective": {**resolved.document["objective"], "latency_hash": content_hash}}


def _name(resolved: Resolved) -> str:
    data = resolved.data_info.get("label") or (resolved.table_row.name if resolved.table_row else "a table")
    return f"{ALGORITHMS[resolved.config.algorithm.kind].label} on {data}"[:200]


def _label(options: Any) -> str:
    """Return a built-in space's label with its options that are not defaults, so that two of one kind differ."""
    apart = options.model_dump(mode="json", exclude_defaults=True, exclude={"kind", "definition"})
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in apart.items())
    return SPACES[options.kind].label + (f" ({words})" if words else "")


def _space(owner: Any, resolved: Resolved) -> SearchSpace:
    options = resolved.config.space
    space = resolved.space
    definition = getattr(options, "definition", {})
    name = definition.get("name") or _label(options)
    fields = {
        "name": str(name)[:200],
        "kind": options.kind,
        "options": options.model_dump(mode="json"),
        "size": str(space.size),
        "depth": space.depth,
    }
    row, _ = SearchSpace.objects.get_or_create(owner=owner, content_hash=space.content_hash, defaults=fields)
    return row
