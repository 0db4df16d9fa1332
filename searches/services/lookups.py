"""Rounds whose estimates are looked up: many rounds run in memory, then one transaction writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from engine.algorithms.proposals import Outcome, Proposal
from engine.estimate import Estimate
from engine.rounds import Rounds
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
    """Rounds that were looked up and are not yet written, so that the copy is ahead of the rows.

    ``finals_follow`` is true if the search ends with finalists whose estimate is not looked up. ``ended`` is true if
    nothing that is looked up is left to ask.
    """

    copy: Copy
    finals_follow: bool
    asked: list[Asked] = field(default_factory=list)
    told: list[events.Entry] = field(default_factory=list)
    ended: bool = False

    @property
    def over(self) -> bool:
        """Return whether there is nothing to write, and nothing left but finalists whose estimate is not looked up."""
        nothing = not self.asked and not self.told and not self.copy.rounds.gave_up
        return self.ended and self.finals_follow and nothing


def stages_of(resolved: Resolved) -> range:
    """Return the stages whose estimates are looked up: all of them, only that of the networks, or none."""
    looked_up = [stage.inline for stage in resolved.stages]
    return range(looked_up.index(False) if False in looked_up else len(looked_up))


def look_up(search: Search, resolved: Resolved, copy: Copy) -> Work:
    """Ask, look up and tell rounds until there is enough to write."""
    stages = stages_of(resolved)
    work = Work(copy, finals_follow=len(stages) < len(resolved.stages))
    rounds = copy.rounds
    rounds.meter = budgets.meter(search)
    deadline = monotonic() + BATCH_SECONDS
    outcomes = _open_round(search, rounds, stages)
    while len(work.asked) < BATCH and monotonic() < deadline:
        asked = rounds.ask(stages)
        for proposal, estimate in _looked_up(resolved, rounds, asked):
            work.asked.append(Asked(rounds.told, proposal, estimate))
            outcomes.append(Outcome(proposal.number, estimate.score))
        if not asked and not outcomes:
            work.ended = True
            break
        if outcomes:
            scored = sum(outcome.score is not None for outcome in outcomes)
            work.told.append(events.round_told(rounds.told, len(outcomes), scored))
        rounds.tell(outcomes)
        outcomes = []
    return work


def _open_round(search: Search, rounds: Rounds, stages: range) -> list[Outcome]:
    """Return the outcomes of a round that an extension of the budget opened again to be filled."""
    rows = search.candidates.filter(round=rounds.told, stage__in=stages).order_by("number")
    return [Outcome(number, score) for number, score in rows.values_list("number", "score")]


def _looked_up(resolved: Resolved, rounds: Rounds, asked: list[Proposal]) -> list[tuple[Proposal, Estimate]]:
    """Return the proposals that the budget covers, with their estimates."""
    if not asked:
        return []
    stage = resolved.stages[asked[0].stage]
    estimator = estimator_of(resolved, stage)
    admitted = rounds.admit(asked, [estimator.seconds(proposal.architecture) for proposal in asked])
    items = [proposal.architecture for proposal in admitted]
    estimates = estimator.estimate_batch(items, seed=stage.options.seed)
    for proposal, estimate in zip(admitted, estimates, strict=True):
        rounds.charge(proposal, estimate.seconds)
    return list(zip(admitted, estimates, strict=True))


def write(search: Search, resolved: Resolved, work: Work) -> bool:
    """Write the rounds and return whether the search goes on; a new epoch, as after an extension, voids them."""
    copy = work.copy
    rounds = copy.rounds
    if search.epoch != copy.epoch:
        algorithm_state.forget(search.pk)
        return True
    candidates = proposals.write(search, resolved, work.asked)
    search.rounds = rounds.told
    search.save(update_fields=["rounds", *recording.COUNTERS])
    ends = work.ended and not work.finals_follow
    if rounds.gave_up:
        copy = algorithm_state.load(search, resolved)
        copy.rounds.first_stage = rounds.first_stage
    algorithm_state.save_buckets(search, copy)
    algorithm_state.save_snapshot(search, copy, due=rounds.gave_up and not ends)
    events.record(search, [*recording.entries(candidates), *work.told])
    if ends and rounds.ended is not None:
        change(search, *budgets.end(search, rounds.ended))
    return not ends
