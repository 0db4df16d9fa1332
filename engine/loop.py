"""A search in one process and without I/O: ask, estimate, tell (`engine.rounds`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.config.search import Budget, Final
from engine.estimate import Estimate, Estimator
from engine.problem import SearchProblem
from engine.ranking import Rank, rank
from engine.rounds import BudgetMeter, Ended, Rounds
from engine.stopping import Stop, never


@dataclass(frozen=True)
class Trial:
    """A scored proposal.

    ``feasible`` is true if its costs meet every limit. ``merit`` is what the score of a network is worth
    (`engine.merit`); it is None for finalists and for trials without a score.
    """

    proposal: Proposal
    estimate: Estimate
    feasible: bool
    merit: float | None = None

    @property
    def worth(self) -> float:
        """The merit if there is one, otherwise the score."""
        return self.merit if self.merit is not None else self.estimate.score or 0.0


@dataclass(frozen=True)
class RunResult:
    """All trials in proposal order, and why there are no more."""

    trials: tuple[Trial, ...]
    ended: Literal["budget", "exhausted"]

    @property
    def best(self) -> Trial | None:
        """The trial whose score ranks its network first (`engine.ranking`), or None if no feasible trial has a score.

        If the final estimate scored any feasible network, this is one of its trials.
        """
        scored = [trial for trial in self.trials if trial.feasible and trial.estimate.score is not None]
        worth = {trial.proposal.number: trial.worth for trial in scored if not trial.proposal.stage}

        def standing(trial: Trial) -> Rank:
            network = trial.proposal.parent if trial.proposal.stage else None
            if network is None:
                return rank(trial.proposal.number, trial.worth)
            return rank(network, worth.get(network, 0.0), trial.estimate.score)

        return min(scored, key=standing, default=None)

    @property
    def seconds(self) -> float:
        """Sum of the seconds that the trials were charged."""
        return sum(trial.estimate.seconds for trial in self.trials)


@dataclass(frozen=True)
class Judge:
    """Scores the proposals of one stage; ``seed`` is the seed of the estimate."""

    estimator: Estimator
    seed: int = 0


def played(rounds: Rounds, judges: Sequence[Judge], stop: Stop = never) -> Iterator[list[Trial]]:
    """Yield the trials of each round once they are told, until the search has ended.

    ``judges`` score the stages in order: networks, then finalists. If seconds are limited but unknown beforehand,
    trials run one by one. `engine.errors.Stopped` is raised when ``stop`` becomes true.
    """
    stages = range(len(judges))
    while proposals := rounds.ask(stages):
        trials = _scored(rounds, proposals, judges[proposals[0].stage], stop)
        rounds.tell(Outcome(trial.proposal.number, trial.estimate.score) for trial in trials)
        if trials:
            yield trials


def _scored(rounds: Rounds, proposals: Sequence[Proposal], judge: Judge, stop: Stop) -> list[Trial]:
    """Return the trials of those proposals, from the first on, that the budget covers."""
    known = [judge.estimator.seconds(proposal.architecture) for proposal in proposals]
    chunk = 1 if rounds.meter.seconds is not None and None in known else len(proposals)
    trials: list[Trial] = []
    for start in range(0, len(proposals), chunk):
        admitted = rounds.admit(proposals[start : start + chunk], known[start : start + chunk])
        if not admitted:
            break
        items = [proposal.architecture for proposal in admitted]
        estimates = judge.estimator.estimate_batch(items, seed=judge.seed, stop=stop)
        for proposal, estimate in zip(admitted, estimates, strict=True):
            rounds.charge(proposal, estimate.seconds)
            trials.append(_trial(rounds.algorithm.problem, proposal, estimate))
    return trials


def _trial(problem: SearchProblem, proposal: Proposal, estimate: Estimate) -> Trial:
    merit = None
    if estimate.score is not None and not proposal.stage:
        merit = problem.merit(proposal.architecture, estimate.score)
    return Trial(proposal, estimate, problem.feasible(proposal.architecture), merit)


def run(
    algorithm: SearchAlgorithm,
    estimator: Estimator,
    budget: Budget,
    round_size: int,
    *,
    seed: int = 0,
    final: Final | None = None,
    judge: Judge | None = None,
    stop: Stop = never,
) -> RunResult:
    """Run a whole search and return its result; ``seed`` is the seed of the estimate.

    ``final`` and the ``judge`` that scores finalists are given together or not at all (ValueError).
    """
    if (final is None) != (judge is None):
        raise ValueError("the final options and the judge of the finalists go together")
    if final is not None:
        algorithm.expect_finals(final.count)
    rounds = Rounds(algorithm, round_size, BudgetMeter.of(budget, final))
    judges = [Judge(estimator, seed), *([] if judge is None else [judge])]
    trials = tuple(trial for batch in played(rounds, judges, stop) for trial in batch)
    return RunResult(trials, "exhausted" if rounds.ended is Ended.EXHAUSTED else "budget")
