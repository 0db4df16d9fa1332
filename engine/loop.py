"""Ask -> estimate -> tell in one process, with no I/O; and the budget rule that every driver of a search obeys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.algorithms.base import Outcome, Proposal, SearchAlgorithm
from engine.config.search import Budget
from engine.estimate import Estimate, Estimator, Stop, never


class BudgetMeter:
    """What is left of a budget: a trial that would exceed it is not started, and none after it.

    Trials are charged in the order of the proposals, failed ones too. A trial whose seconds are not known beforehand
    may start while anything is left. ``evaluations`` and ``seconds`` are limits, None for none.
    """

    def __init__(
        self, evaluations: int | None = None, seconds: float | None = None, *, trials: int = 0, charged: float = 0.0
    ) -> None:
        self.evaluations = evaluations
        self.seconds = seconds
        self.trials = trials
        self.charged = charged

    @classmethod
    def of(cls, budget: Budget) -> BudgetMeter:
        """A fresh meter of a configured budget."""
        return cls(budget.evaluations, budget.seconds)

    def fits(self, seconds: float | None) -> bool:
        """Whether the next trial may start."""
        return self.admits([seconds]) == 1

    def admits(self, seconds: Sequence[float | None]) -> int:
        """How many of the next trials, in order, may start together."""
        trials, charged = self.trials, self.charged
        for started, needed in enumerate(seconds):
            if self.evaluations is not None and trials >= self.evaluations:
                return started
            if self.seconds is not None:
                over = charged >= self.seconds if needed is None else charged + needed > self.seconds
                if over:
                    return started
            trials += 1
            charged += needed or 0.0
        return len(seconds)

    def charge(self, seconds: float) -> None:
        """Books a trial."""
        self.trials += 1
        self.charged += seconds


@dataclass(frozen=True)
class Trial:
    """A scored proposal; ``feasible`` says whether its costs meet every target."""

    proposal: Proposal
    estimate: Estimate
    feasible: bool


@dataclass(frozen=True)
class RunResult:
    """All trials in proposal order, and why there are no more."""

    trials: tuple[Trial, ...]
    ended: Literal["budget", "exhausted"]

    @property
    def best(self) -> Trial | None:
        """The best feasible network ever scored, of equals the first; None when there is none."""
        scored = [trial for trial in self.trials if trial.feasible and trial.estimate.score is not None]
        return max(scored, key=lambda trial: trial.estimate.score or 0.0, default=None)

    @property
    def seconds(self) -> float:
        """Sum of what the trials were charged."""
        return sum(trial.estimate.seconds for trial in self.trials)


def rounds(
    algorithm: SearchAlgorithm,
    estimator: Estimator,
    meter: BudgetMeter,
    round_size: int,
    *,
    seed: int = 0,
    stop: Stop = never,
) -> Iterator[list[Trial]]:
    """The search, a told round at a time, until the budget ends or nothing is left to propose.

    Proposals that the budget does not cover stay pending. While seconds are limited but unknown beforehand, trials run
    one by one. `engine.errors.Stopped` passes through when ``stop`` becomes true.
    """
    while proposals := algorithm.ask(round_size):
        known = [estimator.seconds(proposal.architecture) for proposal in proposals]
        chunk = 1 if meter.seconds is not None and None in known else len(proposals)
        trials: list[Trial] = []
        for start in range(0, len(proposals), chunk):
            admitted = proposals[start : start + meter.admits(known[start : start + chunk])]
            if not admitted:
                break
            items = [proposal.architecture for proposal in admitted]
            for proposal, estimate in zip(admitted, estimator.estimate_batch(items, seed=seed, stop=stop), strict=True):
                meter.charge(estimate.seconds)
                trials.append(Trial(proposal, estimate, algorithm.problem.feasible(proposal.architecture)))
        for trial in trials:
            algorithm.tell(Outcome(trial.proposal.number, trial.estimate.score))
        if trials:
            yield trials
        if len(trials) < len(proposals):
            return


def run(
    algorithm: SearchAlgorithm,
    estimator: Estimator,
    budget: Budget,
    round_size: int,
    *,
    seed: int = 0,
    stop: Stop = never,
) -> RunResult:
    """A whole search; ``seed`` is the estimate's."""
    meter = BudgetMeter.of(budget)
    told = rounds(algorithm, estimator, meter, round_size, seed=seed, stop=stop)
    trials = tuple(trial for batch in told for trial in batch)
    return RunResult(trials, "exhausted" if algorithm.done else "budget")
