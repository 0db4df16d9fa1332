"""Random search: feasible networks, none twice; the baseline every search must beat.

Spaces of up to `LISTED` architectures are listed once, and every feasible network not yet proposed is equally likely.
Larger ones are drawn uniformly, choice by choice, and what is infeasible or known is drawn again. When `ATTEMPTS`
draws find nothing, the tree of prefixes from which the target is still reachable is walked in random order to the next
new network: that is quick however few there are, but no longer uniform (thin branches are favoured). The walk
remembers exhausted branches, so it finds the last network and knows that it was; it gives up, and the search is done,
when `STEPS` prefixes lead to no network at all (reachable intervals can be met by no network inside them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from engine.algorithms.base import Proposal, SearchAlgorithm
from engine.config.algorithms import RandomSearchOptions
from engine.problem import SearchProblem
from engine.space import Architecture, Choices

LISTED = 100_000
ATTEMPTS = 100
STEPS = 20_000


class RandomSearch(SearchAlgorithm):
    """Proposals depend on the seed alone, never on outcomes."""

    kind = "random"

    def __init__(self, options: RandomSearchOptions, problem: SearchProblem, seed: int) -> None:
        super().__init__(problem, seed)
        self.options = options
        self._source: Listed | Drawn | None = None
        self._next: tuple[int, Choices | None] | None = None

    def bound(self) -> int | None:
        """The number of feasible networks where they are few enough to be listed."""
        source = self._networks()
        return source.total if isinstance(source, Listed) else None

    def _propose(self, number: int) -> Proposal | None:
        choices = self._peek(number)
        if choices is None:
            return None
        self._networks().take(choices)
        self._next = None
        return Proposal(number, Architecture(self.space.content_hash, choices), "random")

    def _peek(self, number: int) -> Choices | None:
        """What that proposal will be: the same however often it is asked."""
        if self._next is None or self._next[0] != number:
            self._next = number, self._networks().draw(self.rng(number))
        return self._next[1]

    def _networks(self) -> Listed | Drawn:
        if self._source is None:
            self._source = Listed(self.problem) if self.space.size <= LISTED else Drawn(self.problem)
        return self._source

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Nothing is learned."""

    def _exhausted(self) -> bool:
        return self._peek(self.asked) is None

    def _dump_state(self) -> dict[str, Any]:
        return {"objective": self.problem.objective.model_dump(mode="json"), "networks": self._networks().dump()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        if state["objective"] != self.problem.objective.model_dump(mode="json"):
            raise ValueError("its objective differs")
        source = Listed(self.problem) if self.space.size <= LISTED else Drawn(self.problem)
        source.load(state["networks"])
        self._source, self._next = source, None


class Listed:
    """All feasible networks of a small space in a list; those taken are swapped out of its living part."""

    def __init__(self, problem: SearchProblem) -> None:
        self._networks = list(_all_feasible(problem))
        self._places = {choices: place for place, choices in enumerate(self._networks)}
        self._taken: list[Choices] = []

    @property
    def total(self) -> int:
        """Number of feasible networks."""
        return len(self._networks)

    def draw(self, rng: Random) -> Choices | None:
        """Any network not yet taken, all equally likely."""
        living = len(self._networks) - len(self._taken)
        return self._networks[rng.randrange(living)] if living else None

    def take(self, choices: Choices) -> None:
        """Never draw this one again."""
        place = self._places[choices]
        last = len(self._networks) - len(self._taken) - 1
        other = self._networks[last]
        self._networks[place], self._networks[last] = other, choices
        self._places[other], self._places[choices] = place, last
        self._taken.append(choices)

    def dump(self) -> list[list[int]]:
        """The networks taken, in order."""
        return [list(choices) for choices in self._taken]

    def load(self, taken: list[list[int]]) -> None:
        """Inverse of `dump`, for a fresh object."""
        for choices in taken:
            self.take(tuple(choices))


class Drawn:
    """A space too large to list: draws, and a walk through the reachable prefixes when draws fail."""

    def __init__(self, problem: SearchProblem) -> None:
        self._problem = problem
        self._space = problem.space
        self._taken: dict[Choices, None] = {}
        self._closed: set[Choices] = set()
        self._newly_closed: set[Choices] = set()

    def draw(self, rng: Random) -> Choices | None:
        """A feasible network not yet taken; drawing again with an equal generator gives the same one."""
        self._newly_closed = set()
        for _ in range(ATTEMPTS):
            architecture = self._space.sample(rng)
            if architecture.choices not in self._taken and self._problem.feasible(architecture):
                return architecture.choices
        return self._walk(rng)

    def _walk(self, rng: Random) -> Choices | None:
        """Depth first through open prefixes, options in random order; notes every branch that holds nothing new."""
        branches: list[tuple[Choices, Iterator[int]]] = []
        prefix: Choices | None = ()
        for _ in range(STEPS):
            if prefix is not None:
                if len(prefix) == self._space.depth:
                    return prefix
                options = list(range(len(self._space.options(prefix))))
                rng.shuffle(options)
                branches.append((prefix, iter(options)))
            parent, untried = branches[-1]
            prefix = next((child for option in untried if self._open(child := (*parent, option))), None)
            if prefix is None:
                self._newly_closed.add(parent)
                branches.pop()
                if not branches:
                    return None
        return None

    def _open(self, prefix: Choices) -> bool:
        """Whether a prefix may lead to a new network; exact for complete ones."""
        known = prefix in self._closed or prefix in self._newly_closed or prefix in self._taken
        return not known and self._problem.reachable(prefix)

    def take(self, choices: Choices) -> None:
        """Never draw this one, which was drawn last, again."""
        self._taken[choices] = None
        self._closed |= self._newly_closed

    def dump(self) -> dict[str, Any]:
        """The networks taken and the branches known to be exhausted."""
        return {"taken": list(map(list, self._taken)), "closed": sorted(map(list, self._closed))}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `dump`, for a fresh object."""
        self._taken = dict.fromkeys(tuple(choices) for choices in state["taken"])
        self._closed = {tuple(choices) for choices in state["closed"]}


@lru_cache(maxsize=2)
def _all_feasible(problem: SearchProblem) -> tuple[Choices, ...]:
    """Kept for the latest problems: a search that is rebuilt from its state between rounds lists them once."""
    return tuple(feasible_networks(problem))


def feasible_networks(problem: SearchProblem) -> Iterator[Choices]:
    """Every feasible network in lexicographic order, without entering branches that cannot meet the target."""
    depth = problem.space.depth
    branches: list[tuple[Choices, Iterator[int]]] = [((), iter(range(len(problem.space.options(())))))]
    while branches:
        prefix, options = branches[-1]
        option = next(options, None)
        if option is None:
            branches.pop()
        elif problem.reachable(child := (*prefix, option)):
            if len(child) < depth:
                branches.append((child, iter(range(len(problem.space.options(child))))))
            elif problem.feasible(Architecture(problem.space.content_hash, child)):
                yield child
