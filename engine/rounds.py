"""The rounds of a search: which stage is asked next, how much the budget admits, what is given up, why it ends.

A round holds proposals of one stage: networks to try (stage 0) or finalists (stage 1). Networks come first. A round
holds finalists when there is no network to try or the budget for networks is spent. The proposals of a round are asked,
scored and told, and only then is the next round asked. `Rounds` is this rule without any I/O: drivers score the
proposals in their own way, in one process (`engine.loop`) or through rows and workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.config.search import Budget, Final


class BudgetMeter:
    """A meter of a budget. A trial that would exceed the budget does not start, nor does a later trial of its stage.

    Trials are charged in the order of the proposals, failed trials too. A trial whose seconds are not known beforehand
    may start while any seconds are left. ``evaluations`` and ``seconds`` are the limits, or None if there is no limit.
    ``trials`` and ``charged`` count all stages, ``final_trials`` and ``final_charged`` the finalists among them. With
    ``final``, networks may spend all evaluations except one per finalist, and all seconds except the finalists' share.
    Each time all ``final.count`` finalists have been tried, as many evaluations are kept for finalists again.
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
        """Return a fresh meter of a configured budget."""
        return cls(budget.evaluations, budget.seconds, final=final)

    def fits(self, seconds: float | None, stage: int = 0) -> bool:
        """Return whether the next trial may start."""
        return self.admits([seconds], stage) == 1

    def admits(self, seconds: Sequence[float | None], stage: int = 0) -> int:
        """Return how many of the next trials of a stage, in order, may start together."""
        admitted = _admits(seconds, self.evaluations, self.seconds, self.trials, self.charged)
        if self.final is None or stage:
            return admitted
        limit = None if self.seconds is None else self.seconds * (1 - self.final.share)
        charged = self.charged - self.final_charged
        return _admits(seconds[:admitted], self._network_evaluations, limit, self._network_trials, charged)

    def charge(self, seconds: float, stage: int = 0) -> None:
        """Charge a trial."""
        self.trials += 1
        self.charged += seconds
        if stage:
            self.final_trials += 1
            self.final_charged += seconds

    @property
    def evaluations_spent(self) -> bool:
        """Return whether the limit on evaluations allows no further network, however many seconds are left."""
        limit = self._network_evaluations
        return limit is not None and self._network_trials >= limit

    @property
    def _network_evaluations(self) -> int | None:
        if self.evaluations is None or self.final is None:
            return self.evaluations
        return self.evaluations - self.final.count * (self.final_trials // self.final.count + 1)

    @property
    def _network_trials(self) -> int:
        return self.trials - self.final_trials


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


class Ended(Enum):
    """The reason why a search asks for no more proposals."""

    EVALUATIONS = "the budget in evaluations is spent"
    SECONDS = "the budget in seconds is spent"
    EXHAUSTED = "the algorithm has nothing left to propose"


Expected = Callable[[int], float | None]
"""A function that returns the seconds that one trial of a stage is expected to take, or None if they are unknown."""


def announced(stage: int) -> float:
    """Return 0: each proposal's seconds are known only once it is asked, and `Rounds.admit` checks them then."""
    return 0.0


class Rounds:
    """The state of one search, between rounds and inside a round; a driver scores the proposals that `ask` returns.

    A driver repeats `ask`, then `admit` and `charge` if it limits and charges each proposal, then `tell`. When `ask`
    returns nothing, either a round is `open` and must be told, or the search has `ended`.

    ``told`` is the number of rounds told. ``first_stage`` is the first stage that may still be asked: a stage is over
    once the budget has cut one of its rounds.
    """

    def __init__(self, algorithm: SearchAlgorithm, round_size: int, meter: BudgetMeter | None = None) -> None:
        self.algorithm = algorithm
        self.round_size = round_size
        self.meter = meter or BudgetMeter()
        self.told = 0
        self.first_stage = 0
        self.ended: Ended | None = None
        self._cut: int | None = None
        self._gave_up = False

    @property
    def open(self) -> bool:
        """Return whether proposals have been asked and not yet told."""
        return bool(self.algorithm.pending)

    @property
    def gave_up(self) -> bool:
        """Return whether the algorithm proposed more than the budget covers and is ahead of the recorded trials."""
        return self._gave_up

    def ask(self, stages: Sequence[int] = (0,), expected: Expected = announced) -> list[Proposal]:
        """Return new proposals for the open round or, if no round is open, for the next one; the list may be empty.

        ``stages`` are the stages that the driver scores. An open round is filled up to the round size with proposals of
        its own stage.
        """
        self.ended = None
        pending = self.algorithm.pending
        current = next(iter(pending.values())).stage if pending else None
        for stage in stages:
            if stage < self.first_stage if current is None else stage != current:
                continue
            room = self._room(stage, self.round_size - len(pending), expected)
            if room and (proposals := self.algorithm.ask(room, stage)):
                return proposals
        if not pending:
            self.ended = self._why()
        return []

    def repeat(self, count: int, stage: int) -> list[Proposal]:
        """Return the next ``count`` proposals of a stage, which were admitted and recorded before."""
        return self.algorithm.ask(count, stage)

    def admit(self, proposals: Sequence[Proposal], seconds: Sequence[float | None]) -> Sequence[Proposal]:
        """Return the proposals, from the first on, that the budget covers; if it refuses one, the round is cut there.

        The proposals belong to the open round, in order, and ``seconds`` says what each one takes, None if unknown.
        """
        stage = proposals[0].stage
        count = self.meter.admits(seconds, stage)
        if count < len(proposals):
            self._cut = stage
        return proposals[:count]

    def charge(self, proposal: Proposal, seconds: float) -> None:
        """Charge an admitted proposal's trial to the budget."""
        self.meter.charge(seconds, proposal.stage)

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Tell the open round's outcomes in the order of the proposals; give up proposals that the budget cut off."""
        before = len(self.algorithm.pending)
        for outcome in outcomes:
            self.algorithm.tell(outcome)
        self.told += len(self.algorithm.pending) < before
        if self._cut is not None:
            self.algorithm.abandon()
            self.first_stage = self._cut + 1
            self._cut = None
            self._gave_up = True

    def tell_late(self, outcomes: Iterable[Outcome]) -> None:
        """Tell scores that a retry found after their rounds."""
        for outcome in outcomes:
            self.algorithm.tell(outcome)

    def _room(self, stage: int, wanted: int, expected: Expected) -> int:
        """Return how many of the wanted trials may start; only one finalist before any finalist's seconds are known."""
        limited = self.meter.seconds is not None
        seconds = expected(stage) if limited and wanted > 0 else None
        if limited and seconds is None and stage:
            wanted = min(wanted, 1)
        return self.meter.admits([seconds] * max(wanted, 0), stage)

    def _why(self) -> Ended:
        if self.meter.evaluations_spent:
            return Ended.EVALUATIONS
        exhausted = self.algorithm.done and not self.algorithm.cut_short
        return Ended.EXHAUSTED if exhausted or self.meter.seconds is None else Ended.SECONDS
