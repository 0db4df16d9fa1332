"""Ask -> estimate -> tell in one process, with no I/O; and the budget rule that every driver of a search obeys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.config.search import Budget, Final
from engine.estimate import Estimate, Estimator, Stop, never
from engine.problem import SearchProblem
from engine.ranking import Rank, rank


class BudgetMeter:
    """What is left of a budget: a trial that would exceed it is not started, and none after it.

    Trials are charged in the order of the proposals, failed ones too. A trial whose seconds are not known beforehand
    may start while anything is left. ``evaluations`` and ``seconds`` are limits, None for none; ``trials`` and
    ``charged`` count all stages, ``final_trials`` and ``final_charged`` what of it was stage 1. With ``final``, the
    search (stage 0) may spend all evaluations but one a finalist, and the rest of the seconds' share. Finals in full
    number before the last network keep as much for finals again.
    """

    def __init__(
        self,
        evaluations: int | None = None,
        seconds: float | None = None,
        *,
        trials: int = 0,
        charged: float = 0.0,
        final: Final | None = None,
        final_trials: int = 0,
        final_charged: float = 0.0,
    ) -> None:
        self.evaluations = evaluations
        self.seconds = seconds
        self.trials = trials
        self.charged = charged
        self.final = final
        self.final_trials = final_trials
        self.final_charged = final_charged

    @classmethod
    def of(cls, budget: Budget, final: Final | None = None) -> BudgetMeter:
        """A fresh meter of a configured budget."""
        return cls(budget.evaluations, budget.seconds, final=final)

    def fits(self, seconds: float | None, stage: int = 0) -> bool:
        """Whether the next trial may start."""
        return self.admits([seconds], stage) == 1

    def admits(self, seconds: Sequence[float | None], stage: int = 0) -> int:
        """How many of the next trials of a stage, in order, may start together."""
        admitted = _admits(seconds, self.evaluations, self.seconds, self.trials, self.charged)
        if self.final is None or stage:
            return admitted
        kept = self.final.count * (self.final_trials // self.final.count + 1)
        evaluations = None if self.evaluations is None else self.evaluations - kept
        limit = None if self.seconds is None else self.seconds * (1 - self.final.share)
        trials, charged = self.trials - self.final_trials, self.charged - self.final_charged
        return _admits(seconds[:admitted], evaluations, limit, trials, charged)

    def charge(self, seconds: float, stage: int = 0) -> None:
        """Books a trial."""
        self.trials += 1
        self.charged += seconds
        if stage:
            self.final_trials += 1
            self.final_charged += seconds


def _admits(
    needs: Sequence[float | None], evaluations: int | None, seconds: float | None, trials: int, charged: float
) -> int:
    for started, needed in enumerate(needs):
        if evaluations is not None and trials >= evaluations:
            return started
        if seconds is not None:
            over = charged >= seconds if needed is None else charged + needed > seconds
            if over:
                return started
        trials += 1
        charged += needed or 0.0
    return len(needs)


@dataclass(frozen=True)
class Trial:
    """A scored proposal; ``feasible`` says whether its costs meet every target, ``merit`` what the score is worth."""

    proposal: Proposal
    estimate: Estimate
    feasible: bool
    merit: float | None = None

    @property
    def worth(self) -> float:
        """The merit where one is given, else the score."""
        return self.merit if self.merit is not None else self.estimate.score or 0.0


@dataclass(frozen=True)
class RunResult:
    """All trials in proposal order, and why there are no more."""

    trials: tuple[Trial, ...]
    ended: Literal["budget", "exhausted"]

    @property
    def best(self) -> Trial | None:
        """The trial that decided for the best feasible network (`engine.ranking`), or None when there is none.

        It is the trial of the final estimate where that scored any network.
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
        """Sum of what the trials were charged."""
        return sum(trial.estimate.seconds for trial in self.trials)


@dataclass(frozen=True)
class Judge:
    """What scores the proposals of one stage; ``seed`` is the estimate's."""

    estimator: Estimator
    seed: int = 0


def rounds(
    algorithm: SearchAlgorithm,
    estimator: Estimator,
    meter: BudgetMeter,
    round_size: int,
    *,
    seed: int = 0,
    final: Judge | None = None,
    stop: Stop = never,
) -> Iterator[list[Trial]]:
    """The search, a told round at a time, until the budget ends or nothing is left to propose.

    With ``final``, a round holds finalists whenever the algorithm has no network to try, or the budget for those is
    spent; what of a round the budget does not cover stays pending, or is given up for the finalists. While seconds are
    limited but unknown beforehand, trials run one by one. `engine.errors.Stopped` passes through when ``stop`` becomes
    true.
    """
    judges = [Judge(estimator, seed)] if final is None else [Judge(estimator, seed), final]
    first = 0
    while True:
        for stage in range(first, len(judges)):
            if proposals := algorithm.ask(round_size, stage):
                break
        else:
            return
        trials = _score(algorithm, proposals, judges[stage], meter, stop)
        for trial in trials:
            algorithm.tell(Outcome(trial.proposal.number, trial.estimate.score))
        if trials:
            yield trials
        if len(trials) < len(proposals):
            if stage == len(judges) - 1:
                return
            algorithm.abandon()
            first = stage + 1


def _score(
    algorithm: SearchAlgorithm, proposals: Sequence[Proposal], judge: Judge, meter: BudgetMeter, stop: Stop
) -> list[Trial]:
    """The trials of those proposals, from the first on, that the budget covers."""
    stage, trials = proposals[0].stage, []
    known = [judge.estimator.seconds(proposal.architecture) for proposal in proposals]
    chunk = 1 if meter.seconds is not None and None in known else len(proposals)
    for start in range(0, len(proposals), chunk):
        admitted = proposals[start : start + meter.admits(known[start : start + chunk], stage)]
        if not admitted:
            break
        items = [proposal.architecture for proposal in admitted]
        estimates = judge.estimator.estimate_batch(items, seed=judge.seed, stop=stop)
        for proposal, estimate in zip(admitted, estimates, strict=True):
            meter.charge(estimate.seconds, stage)
            trials.append(_trial(algorithm.problem, proposal, estimate))
    return trials


def _trial(problem: SearchProblem, proposal: Proposal, estimate: Estimate) -> Trial:
    score, merit = estimate.score, None
    if score is not None and not proposal.stage:
        merit = problem.merit(proposal.architecture, score)
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
    """A whole search; ``seed`` is the estimate's. ``final`` and the ``judge`` that scores finalists go together."""
    if (final is None) != (judge is None):
        raise ValueError("the final options and the judge of the finalists go together")
    if final is not None:
        algorithm.expect_finals(final.count)
    told = rounds(algorithm, estimator, BudgetMeter.of(budget, final), round_size, seed=seed, final=judge, stop=stop)
    trials = tuple(trial for batch in told for trial in batch)
    return RunResult(trials, "exhausted" if algorithm.done else "budget")
