"""Advancing a search: tell the round that is complete, ask the next one, hand its work out.

A task claims the search with a token, so that two finishers cannot both advance it; every step is one transaction on
the locked row and lets go of the claim in the same transaction in which it finds that it has to wait, so no wake-up
is lost.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from time import monotonic
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from engine.algorithms.proposals import Outcome
from engine.errors import EngineError
from searches import events
from searches.models import Candidate, Search
from searches.services import algorithm_state, budgets, calibrating, dispatching, lookups, proposals, recording
from searches.services.algorithm_state import Copy
from searches.services.lifecycle import change, halt, locked
from searches.services.proposals import Asked
from searches.services.resolving import Resolved, resolve_search

TASK_SECONDS = 1.0
Status = Search.Status
log = logging.getLogger(__name__)


def advance(search_id: int) -> None:
    """Takes the search as far as it goes without waiting, about a second of work; then another task goes on."""
    token = _claim(search_id)
    if token is None:
        return
    deadline = monotonic() + TASK_SECONDS
    try:
        while _step(search_id, token):
            if monotonic() > deadline:
                _let_go(search_id, token)
                dispatching.advance(search_id)
                return
    except (OperationalError, InterfaceError):
        algorithm_state.forget(search_id)  # the database is away: the sweeper sends the search again
        raise
    except Exception as error:
        algorithm_state.forget(search_id)
        log.exception("search %s cannot be advanced", search_id)
        _fail(search_id, token, str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}")


def _claim(search_id: int) -> str | None:
    """A token when this task won the search, by an UPDATE that must hit the row."""
    token, now = uuid4().hex, timezone.now()
    until = now + timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    free = Search.objects.filter(Q(advance_token="") | Q(advance_until__lt=now), pk=search_id, status__in=Search.ACTIVE)
    return token if free.update(advance_token=token, advance_until=until) else None


def _let_go(search_id: int, token: str) -> None:
    Search.objects.filter(pk=search_id, advance_token=token).update(advance_token="", advance_until=None)


def _step(search_id: int, token: str) -> bool:
    """One step; False when the search waits for something, or is over, and the claim was let go."""
    search = Search.objects.filter(pk=search_id, advance_token=token).select_related("owner").first()
    if search is None:
        return False
    resolved, work = resolve_search(search), None
    if search.status in (Status.QUEUED, Status.RUNNING) and not recording.is_waiting(search):
        copy = algorithm_state.load(search, resolved)  # before the row is locked: a rebuild may take a while
        work = lookups.look_up(search, resolved, copy) if resolved.inline else None
    with transaction.atomic():
        search = locked(search_id, advance_token=token)
        if search is None:
            algorithm_state.forget(search_id)
            return False
        if search.status == Status.QUEUED:
            change(search, Status.RUNNING)
        halt(search)
        if search.status != Status.RUNNING or recording.is_waiting(search):
            goes_on = False
            if search.status == Status.RUNNING:
                hand_out(search)
        elif resolved.inline and not (work is not None and work.over):
            goes_on = work is None or lookups.write(search, resolved, work)
        else:
            goes_on = _round(search, resolved)
        if not goes_on:
            _let_go(search_id, token)
    return goes_on


def _round(search: Search, resolved: Resolved) -> bool:
    """Tells the open round unless it can be filled, and asks the next; True when all of that was known already."""
    copy = algorithm_state.load(search, resolved)
    asked = _ask(search, resolved, copy)
    told = not asked and bool(copy.algorithm.pending)
    if told:
        _tell(search, resolved, copy)
        asked = [] if resolved.inline else _ask(search, resolved, copy)
    algorithm_state.save_buckets(search, copy)
    search.save(update_fields=["rounds", *recording.COUNTERS])
    if told and resolved.inline:
        return True  # networks to try are looked up before finalists are asked again
    if not asked:
        change(search, *budgets.end(search, cut=not copy.algorithm.done))
        return False
    events.record(search, recording.entries([c for c in asked if c.status not in recording.WAITING]))
    hand_out(search, again=True)
    return not recording.is_waiting(search)


def _ask(search: Search, resolved: Resolved, copy: Copy) -> list[Candidate]:
    """Fills the open round as far as the algorithm and the budget go; a new one holds finalists when the search ends.

    A round is of one stage. What the search's estimates were looked up for is asked there, never here.
    """
    pending = copy.algorithm.pending
    stages = range(int(resolved.inline), len(resolved.stages))
    for stage in {proposal.stage for proposal in pending.values()} or stages:
        count = _room(search, stage, resolved.config.round_size - len(pending))
        asked = [Asked(search.rounds, proposal) for proposal in copy.algorithm.ask(count, stage)]
        if asked:
            return proposals.write(search, resolved, asked)
    return []


def _room(search: Search, stage: int, wanted: int) -> int:
    """How many of the wanted trials may start; one final at first, where only its seconds can say how many fit."""
    seconds = None if search.budget_seconds is None else dispatching.recent_seconds(search, stage)
    if stage and search.budget_seconds is not None and seconds is None:
        wanted = min(wanted, 1)
    return budgets.meter(search).admits([seconds] * max(wanted, 0), stage)


def _tell(search: Search, resolved: Resolved, copy: Copy) -> None:
    """Tells the open round in the order of its proposals, then what a retry found; then scores may be read anew."""
    number = search.rounds
    rows = list(search.candidates.filter(round=number).order_by("number").values_list("number", "score"))
    for outcome in rows:
        copy.algorithm.tell(Outcome(*outcome))
    late = search.candidates.filter(revived_round=number, status=Candidate.Status.SCORED).order_by("number")
    algorithm_state.tell_late(copy.algorithm, late.values_list("number", "score"))
    search.rounds = copy.rounds = number + 1
    calibrating.after_round(search, resolved, copy, number)
    algorithm_state.save_snapshot(search, copy)
    events.record(search, [events.round_told(number, len(rows), sum(score is not None for _, score in rows))])


def hand_out(search: Search, again: bool = False) -> None:
    """Dispatches the work that the search waits for; ``again``: also what was dispatched for another search."""
    work = recording.to_score(search)
    if not again:
        work = work.filter(dispatched_at=None)
    dispatching.score(search, work)


def _fail(search_id: int, token: str, reason: str) -> None:
    with transaction.atomic():
        search = locked(search_id, advance_token=token)
        if search is not None:
            events.record(search, [events.error(reason)])
            change(search, Status.FAILED, reason)
            _let_go(search_id, token)
