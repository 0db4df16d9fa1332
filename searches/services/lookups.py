"""Estimates that are looked up where the search is advanced: many rounds in memory, then one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.loop import BudgetMeter
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
    """Rounds looked up after a copy's rows.

    ``ended``: nothing more is looked up; ``cut``: seconds end inside a round; ``abandoned``: the copy asks finalists
    only; ``finals_follow``: the search ends with finalists, whose estimate is not looked up.
    """

    copy: Copy
    asked: list[Asked] = field(default_factory=list)
    told: list[events.Entry] = field(default_factory=list)
    ended: bool = False
    cut: bool = False
    abandoned: bool = False
    finals_follow: bool = False

    @property
    def over(self) -> bool:
        """Whether all that is left are finalists whose estimate is not looked up."""
        return self.ended and self.finals_follow and not self.asked


def look_up(search: Search, resolved: Resolved, copy: Copy) -> Work:
    """Asks, looks up and tells rounds until there is enough to write; the copy is then ahead of the rows.

    Where finalists are looked up too, a round holds them whenever there is no network to try, or no budget for those.
    """
    last = len(resolved.stages) - 1 if resolved.stages[-1].inline else 0
    work = Work(copy, finals_follow=last < len(resolved.stages) - 1)
    meter, algorithm = budgets.meter(search), copy.algorithm
    deadline = monotonic() + BATCH_SECONDS
    rows = search.candidates.filter(round=copy.rounds).order_by("number").values_list("number", "score", "stage")
    open_round = [Outcome(number, score) for number, score, stage in rows if stage <= last]
    stages = range(max((stage for *_, stage in rows if stage <= last), default=0), last + 1)
    work.ended = any(proposal.stage > last for proposal in algorithm.pending.values())
    while not work.ended and len(work.asked) < BATCH and monotonic() < deadline:
        stage, asked = _ask(algorithm, meter, stages[:1] if open_round else stages, resolved, len(open_round))
        stages = range(last + 1)
        estimator, seed = estimator_of(resolved, resolved.stages[stage]), resolved.stages[stage].options.seed
        seconds = [estimator.seconds(proposal.architecture) for proposal in asked]
        admitted = asked[: meter.admits(seconds, stage)]
        estimates = estimator.estimate_batch([proposal.architecture for proposal in admitted], seed=seed)
        for proposal, estimate in zip(admitted, estimates, strict=True):
            meter.charge(estimate.seconds, stage)
            work.asked.append(Asked(copy.rounds, proposal, estimate))
            open_round.append(Outcome(proposal.number, estimate.score))
        cut, empty = len(admitted) < len(asked), not open_round
        work.cut |= cut
        if open_round:
            scored = sum(outcome.score is not None for outcome in open_round)
            work.told.append(events.round_told(copy.rounds, len(open_round), scored))
            for outcome in open_round:
                algorithm.tell(outcome)
            copy.rounds, open_round = copy.rounds + 1, []
        if cut and stage < last:
            algorithm.abandon()
            work.abandoned = True
        else:
            work.ended = cut or empty
    if work.over and work.cut:
        algorithm_state.forget(search.pk)
    return work


def _ask(
    algorithm: SearchAlgorithm, meter: BudgetMeter, stages: Sequence[int], resolved: Resolved, taken: int
) -> tuple[int, list[Proposal]]:
    """The first stage with anything to ask, and its proposals, as many as a round of which some are taken has room."""
    for stage in stages:
        room = meter.admits([0.0] * (resolved.config.round_size - taken), stage)
        if asked := algorithm.ask(room, stage):
            return stage, asked
    return 0, []


def write(search: Search, resolved: Resolved, work: Work) -> bool:
    """Writes the rounds; False when the search ended with them. An extension in between voids them."""
    copy = work.copy
    if search.epoch != copy.epoch:
        algorithm_state.forget(search.pk)
        return True
    candidates = proposals.write(search, resolved, work.asked)
    search.rounds = copy.rounds
    search.save(update_fields=["rounds", *recording.COUNTERS])
    if work.cut or work.abandoned:
        # The copy asked what the budget does not cover, and its rows do not hold.
        algorithm_state.forget(search.pk)
        copy = algorithm_state.load(search, resolved)
    algorithm_state.save_buckets(search, copy)
    algorithm_state.save_snapshot(search, copy)
    events.record(search, [*recording.entries(candidates), *work.told])
    if work.ended and not work.finals_follow:
        change(search, *budgets.end(search, work.cut))
        return False
    return True
