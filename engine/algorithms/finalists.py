"""Finalists: leading networks that are proposed again, at stage 1, for a further estimate on which the decision falls.

A search has two fidelities when its configuration has a ``final`` section: the search's estimate finds leaders, the
final one (more epochs, other seeds, another column) decides between them. Any algorithm can be searched with; one that
chooses finalists in a way of its own overrides `SearchAlgorithm.choose_finalists`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine.algorithms.proposals import Proposal
from engine.problem import SearchProblem
from engine.space import Architecture, Choices


class Contender(NamedTuple):
    """A scored feasible network; sorts best first, of equals the earlier proposal."""

    minus_score: float
    number: int
    choices: Choices


class Finalists(ABC):
    """Who is scored again. Outcomes come in the order of the proposals, while nothing is pending."""

    @abstractmethod
    def learn(self, proposal: Proposal, score: float) -> None:
        """A network was scored by the search's estimate; it may be infeasible."""

    @abstractmethod
    def forget(self) -> None:
        """Forgets what was learned, not who was named and how that ended."""

    def rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """All networks scored so far have these scores now."""
        self.forget()
        for proposal, score in networks:
            self.learn(proposal, score)

    @abstractmethod
    def next(self) -> tuple[int, Architecture] | None:
        """Number and network of the proposal to score again, never one twice; None: outcomes first, or no more."""

    @abstractmethod
    def settle(self, number: int, score: float | None) -> None:
        """The final score of the network that was proposed as ``number``; None when the final estimate failed."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """JSON-ready; inverse of `load`."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Fills a fresh object."""


class Leaders(Finalists):
    """The ``count`` best feasible networks by the search's score, best first; a late score may still move in."""

    def __init__(self, problem: SearchProblem, count: int) -> None:
        self._problem = problem
        self._count = count
        self._leaders: list[Contender] = []
        self._taken: set[int] = set()

    def learn(self, proposal: Proposal, score: float) -> None:
        contender = Contender(-score, proposal.number, proposal.architecture.choices)
        if len(self._leaders) == self._count and contender > self._leaders[-1]:
            return
        if self._problem.feasible(proposal.architecture):
            insort(self._leaders, contender)
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
        """The leaders do not change."""

    def dump(self) -> dict[str, Any]:
        return {"leaders": [[-s, n, list(c)] for s, n, c in self._leaders], "taken": sorted(self._taken)}

    def load(self, state: Mapping[str, Any]) -> None:
        self._leaders = [Contender(-float(s), int(n), tuple(c)) for s, n, c in state["leaders"]]
        self._taken = set(map(int, state["taken"]))
