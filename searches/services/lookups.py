"""Estimates that are looked up where the search is advanced: many rounds in memory, then one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from engine.algorithms.base import Outcome
from searches import events
from searches.models import Search
from searches.services import algorithm_state, budgets, proposals, recording
from searches.services.algorithm_state import Copy
from searches.services.estimators import estimator_of
from searches.services.lifecycle import change
from searches.services.proposals import Asked
from searches.services.resolving import Resolved

BATCH = 500
BATCH_SECONDS = 0.25


@dataclass
class Work:
    """Rounds looked up after a copy's rows. ``ended``: nothing more is asked; ``cut``: seconds end inside a round."""

    copy: Copy
    asked: list[Asked] = field(default_factory=list)
    told: list[events.Entry] = field(default_factory=list)
    ended: bool = False
    cut: bool = False


def look_up(search: Search, resolved: Resolved, copy: Copy) -> Work:
    """Asks, looks up and tells rounds until there is enough to write; the copy is then ahead of the rows."""
    work, meter, estimator = Work(copy), budgets.meter(search), estimator_of(resolved)
    algorithm, seed = copy.algorithm, resolved.config.estimator.seed
    deadline = monotonic() + BATCH_SECONDS
    rows = search.candidates.filter(round=copy.rounds).order_by("number").values_list("number", "score")
    open_round = [Outcome(*row) for row in rows]
    while not work.ended and len(work.asked) < BATCH and monotonic() < deadline:
        room = meter.admits([0.0] * (resolved.config.round_size - len(open_round)))
        asked = algorithm.ask(room)
        seconds = [estimator.seconds(proposal.architecture) for proposal in asked]
        admitted = asked[: meter.admits(seconds)]
        estimates = estimator.estimate_batch([proposal.architecture for proposal in admitted], seed=seed)
        for proposal, estimate in zip(admitted, estimates, strict=True):
            meter.charge(estimate.seconds)
            work.asked.append(Asked(copy.rounds, proposal, estimate))
            open_round.append(Outcome(proposal.number, estimate.score))
        work.cut = len(admitted) < len(asked)
        work.ended = work.cut or not open_round
        if open_round:
            scored = sum(outcome.score is not None for outcome in open_round)
            work.told.append(events.round_told(copy.rounds, len(open_round), scored))
            for outcome in open_round:
                algorithm.tell(outcome)
            copy.rounds, open_round = copy.rounds + 1, []
    return work


def write(search: Search, resolved: Resolved, work: Work) -> bool:
    """Writes the rounds; False when the search ended with them. An extension in between voids them."""
    copy = work.copy
    if search.epoch != copy.epoch:
        algorithm_state.forget(search.pk)
        return True
    candidates = proposals.write(search, resolved, work.asked)
    search.rounds = copy.rounds
    search.save(update_fields=["rounds", *recording.COUNTERS])
    if work.cut:
        # A proposal that the budget does not cover is pending in the copy, and rounds count when nothing is.
        algorithm_state.forget(search.pk)
        copy = algorithm_state.load(search, resolved)
    algorithm_state.save_buckets(search, copy)
    algorithm_state.save_snapshot(search, copy)
    events.record(search, [*recording.entries(candidates), *work.told])
    if work.ended:
        change(search, *budgets.end(search, work.cut))
    return not work.ended
