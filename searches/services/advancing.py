"""Advancing a search: tell the round that is complete, ask the next one, dispatch its work.

A task claims the search with a token, so that only one task advances it at a time. Every step is one transaction on the
locked row. The step that finds that the search has to wait releases the claim in the same transaction, so no wake-up is
lost.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
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
    """Take the search as far as it goes without waiting; after about a second of work, another task continues."""
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
        algorithm_state.forget(search_id)  # the database is away: the sweeper dispatches the search again
        raise
    except Exception as error:
        algorithm_state.forget(search_id)
        log.exception("search %s cannot be advanced", search_id)
        _fail(search_id, token, str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}")


def _claim(search_id: int) -> str | None:
    """Return a token if this task got the search, by an UPDATE that must hit the row; otherwise None."""
    token = uuid4().hex
    now = timezone.now()
    until = now + timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    free = Search.objects.filter(Q(advance_token="") | Q(advance_until__lt=now), pk=search_id, status__in=Search.ACTIVE)
    return token if free.update(advance_token=token, advance_until=until) else None


def _let_go(search_id: int, token: str) -> None:
    Search.objects.filter(pk=search_id, advance_token=token).update(advance_token="", advance_until=None)


def _step(search_id: int, token: str) -> bool:
    """Take one step and return whether more can follow; if not, the claim is released."""
    search = Search.objects.filter(pk=search_id, advance_token=token).select_related("owner").first()
    if search is None:
        return False
    resolved = resolve_search(search)
    work = None
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
    """Fill the open round, or tell it and ask the next; return whether the search can go on without waiting."""
    copy = algorithm_state.load(search, resolved)
    copy.rounds.meter = budgets.meter(search)
    asked = _ask(search, resolved, copy)
    told = not asked and copy.rounds.open
    if told:
        _tell(search, resolved, copy)
        asked = [] if resolved.inline else _ask(search, resolved, copy)
    algorithm_state.save_buckets(search, copy)
    search.save(update_fields=["rounds", *recording.COUNTERS])
    if told and resolved.inline:
        return True  # networks to try are looked up before finalists are asked again
    if copy.rounds.ended is not None:
        change(search, *budgets.end(search, copy.rounds.ended))
        return False
    events.record(search, recording.entries([c for c in asked if c.status not in recording.WAITING]))
    hand_out(search, again=True)
    return not recording.is_waiting(search)


def _ask(search: Search, resolved: Resolved, copy: Copy) -> list[Candidate]:
    """Ask what the open round has room for, or a new round, and write and return its candidates.

    Stages that are looked up are not asked.
    """
    stages = range(len(lookups.stages_of(resolved)), len(resolved.stages))
    proposed = copy.rounds.ask(stages, partial(dispatching.recent_seconds, search))
    return proposals.write(search, resolved, [Asked(search.rounds, proposal) for proposal in proposed])


def _tell(search: Search, resolved: Resolved, copy: Copy) -> None:
    """Tell the open round, then the scores that a retry found; after that the scores may be calibrated."""
    number = search.rounds
    rows = search.candidates.filter(round=number).order_by("number").values_list("number", "score")
    outcomes = [Outcome(*row) for row in rows]
    copy.rounds.tell(outcomes)
    late = search.candidates.filter(revived_round=number, status=Candidate.Status.SCORED).order_by("number")
    copy.rounds.tell_late(Outcome(*row) for row in late.values_list("number", "score"))
    search.rounds = copy.rounds.told
    calibrating.after_round(search, resolved, copy, number)
    algorithm_state.save_snapshot(search, copy)
    scored = sum(outcome.score is not None for outcome in outcomes)
    events.record(search, [events.round_told(number, len(outcomes), scored)])


def hand_out(search: Search, again: bool = False) -> None:
    """Dispatch the work that the search waits for.

    With ``again`` this includes work that was dispatched already, such as for another search.
    """
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
