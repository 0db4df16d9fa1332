"""Finalists: leading networks that are proposed again, at stage 1, for a further estimate that decides between them.

A search has two fidelities when its configuration has a ``final`` section. The search's own estimate finds the leaders,
and the final estimate (more epochs, another seed, another column) decides between them. Finalists work with every
algorithm; an algorithm that chooses them by another rule overrides `SearchAlgorithm.choose_finalists`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine.algorithms.proposals import Proposal
from engine.problem import SearchProblem
from engine.ranking import Rank, rank
from engine.space import Architecture, Choices


class Contender(NamedTuple):
    """A feasible network with what its score is worth and the number of its proposal."""

    worth: float
    number: int
    choices: Choices


def place(contender: Contender) -> Rank:
    """Return the rank of a contender by its worth alone; ranks sort best first."""
    return rank(contender.number, contender.worth)


class Finalists(ABC):
    """Chooses which networks are scored again.

    Outcomes arrive in the order of the proposals, while nothing is pending.
    """

    @abstractmethod
    def learn(self, proposal: Proposal, worth: float) -> None:
        """Take in a network that the search's estimate scored; it may be infeasible."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what was learned, but not which networks were named nor their outcomes."""

    def rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Replace the worth of every network scored so far."""
        self.forget()
        for proposal, worth in networks:
            self.learn(proposal, worth)

    @abstractmethod
    def next(self) -> tuple[int, Architecture] | None:
        """Return the number and the network of the proposal to score again, each at most once.

        None means that an outcome is needed first or that there are no more.
        """

    @abstractmethod
    def settle(self, number: int, score: float | None) -> None:
        """Take in the final score of the network proposed as ``number``; None if the final estimate failed."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """Return the state, ready for JSON, from which `load` restores it."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Restore a dumped state into a fresh object."""


class Leaders(Finalists):
    """The ``count`` best feasible networks by worth, best first; a network that is scored late may still join them."""

    def __init__(self, problem: SearchProblem, count: int) -> None:
        self._problem = problem
        self._count = count
        self._leaders: list[Contender] = []
        self._taken: set[int] = set()

    def learn(self, proposal: Proposal, worth: float) -> None:
        contender = Contender(worth, proposal.number, proposal.architecture.choices)
        if len(self._leaders) == self._count and place(contender) > place(self._leaders[-1]):
            return
        if self._problem.feasible(proposal.architecture):
            insort(self._leaders, contender, key=place)
            del self._leaders[self._count :]

    def forget(self) -> None:
        self._leaders = []

    def next(self) -> tuple[int, Architecture] | None:
        for _, number, choices in self._leaders:
            if number not in self._taken:
                self._taken.add(number)
                return number, self._problem.space.architecture(choices)
        return None

    def settle(self, number: int, score: float | None) -> None:
        """Do nothing: final scores do not change who leads by worth."""

    def dump(self) -> dict[str, Any]:
        return {"leaders": [[s, n, list(c)] for s, n, c in self._leaders], "taken": sorted(self._taken)}

    def load(self, state: Mapping[str, Any]) -> None:
        self._leaders = [Contender(float(s), int(n), tuple(c)) for s, n, c in state["leaders"]]
        self._taken = set(map(int, state["taken"]))
