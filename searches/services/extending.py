"""More budget for a search, which then goes on as if it had had the larger budget from the start.

A round that the budget cut short is opened again and filled. Finalists that were named at the end are removed, and
finalists are named again once the larger budget is spent. Their final scores stay as evaluations, so they are found and
not computed again. A guided MOTE-NAS names its finalists throughout the search and learns from each, so its finalists
stay, and the log says so.
"""

from __future__ import annotations

from django.db.models import Max

from engine.config.algorithms import MoteNASOptions
from engine.config.search import SearchConfig
from searches import events
from searches.models import Candidate, Evaluation, Event, Search
from searches.services import algorithm_state, calibrating, recording

SETTLED = (Candidate.Status.SCORED, Candidate.Status.FAILED)


def why_not(search: Search) -> str:
    """Return the reason why more budget would change nothing, or an empty text if it would change something."""
    if not _is_guided(config := search.configuration):
        return ""
    count = config.final.count if config.final is not None else 0
    if not count or search.candidates.finals().count() < count:
        return ""
    return (
        f"cannot be extended: all {count} finalists are named, and the guided rule of MOTE-NAS ends with them. "
        "Clone the search with more finalists instead."
    )


def reopen(search: Search) -> bool:
    """Undo how the smaller budget ended the search, and return whether finalists were removed; the caller saves it."""
    taken = 0
    if _is_guided(search.configuration):
        if named := search.candidates.finals().count():
            _log(
                search,
                f"the budget was extended after {named} finalists were named: they stay, so this search may differ "
                "from one that had the larger budget from the start",
            )
    elif taken := _take_back_finals(search):
        _log(
            search,
            f"the budget was extended: {taken} finalists are taken back and decided on again over the whole search; "
            "final scores that are known are found again",
        )
    _reopen_last_round(search)
    algorithm_state.reopen_stages(search)
    return bool(taken)


def _take_back_finals(search: Search) -> int:
    """Remove the finalists after the last network, with their traces on networks and counters; return their number.

    Finalists before a network, in a search that an older version extended, have to stay, because the numbers of
    candidates never change.
    """
    last = search.candidates.networks().aggregate(last=Max("number"))["last"]
    finals = list(search.candidates.finals().filter(number__gt=-1 if last is None else last))
    if not finals:
        return 0
    search.rounds = min(search.rounds, *(final.round for final in finals))
    settled = [final for final in finals if final.status in SETTLED]
    search.asked -= len(finals)
    search.finals -= sum(final.status == Candidate.Status.SCORED for final in finals)
    search.failed -= sum(final.status == Candidate.Status.FAILED for final in finals)
    search.from_cache -= sum(final.from_cache for final in settled)
    search.charged_seconds -= sum(final.seconds or 0.0 for final in settled)
    evaluations = [final.evaluation_id for final in finals]
    search.candidates.filter(pk__in=[final.pk for final in finals]).delete()
    waiting = Evaluation.objects.filter(pk__in=evaluations, status=Evaluation.Status.PENDING, candidates=None)
    waiting.delete()
    named = [final.parent_number for final in finals if final.parent_number is not None]
    search.candidates.networks().filter(number__in=named).update(final_score=None)
    search.candidates.filter(revived_round__gte=search.rounds).update(revived_round=search.rounds - 1)
    calibrating.undo(search, search.rounds)
    recording.choose_best_again(search)
    algorithm_state.void(search)
    return len(finals)


def _reopen_last_round(search: Search) -> None:
    """Open the last round again if the budget cut it short, so that it is filled before the next round."""
    last = search.rounds - 1
    rows = search.candidates.filter(round=last)
    cut = 0 < rows.count() < search.configuration.round_size and not rows.finals().exists()
    later = search.candidates.filter(round=search.rounds).exists()
    retold = search.candidates.filter(revived_round=last).exists()
    if cut and not later and not retold:
        search.rounds = last
        calibrating.undo(search, last)
        algorithm_state.void(search)


def _is_guided(config: SearchConfig) -> bool:
    return isinstance(config.algorithm, MoteNASOptions) and config.algorithm.rule == "guided"


def _log(search: Search, message: str) -> None:
    events.record(search, [events.Entry(Event.Kind.LOG, message)])
