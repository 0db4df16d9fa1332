"""The feasible networks that a search has not proposed yet.

Spaces of up to `LISTED` architectures are listed once, and every feasible network not yet proposed is equally likely.
In larger spaces networks are drawn uniformly, choice by choice; infeasible or known networks are drawn again. When
`ATTEMPTS` draws find nothing, a walk in random order follows the prefixes from which the target is still reachable, to
the next new network. The walk is quick even if few networks are left, but no longer uniform: it favours thin branches.
It remembers exhausted branches, so that it finds the last network and knows that no other is left. It gives up after
`STEPS` prefixes that lead to no network at all, which can happen because a reachable cost interval may contain no
network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from engine.problem import SearchProblem
from engine.space import Architecture, Choices

LISTED = 100_000
ATTEMPTS = 100
STEPS = 20_000


class Listed:
    """All feasible networks of a small space in a list; a taken network is swapped out of the part that is left.

    Searches share the list itself; only the swaps are kept here.
    """

    def __init__(self, problem: SearchProblem) -> None:
        self._networks, self._places = _all_feasible(problem)
        self._moved: dict[int, Choices] = {}
        self._moved_to: dict[Choices, int] = {}
        self._taken: dict[Choices, None] = {}

    @property
    def total(self) -> int:
        """Number of feasible networks."""
        return len(self._networks)

    def draw(self, rng: Random) -> Choices | None:
        """Return any network not yet taken, all equally likely, or None."""
        living = len(self._networks) - len(self._taken)
        return self._at(rng.randrange(living)) if living else None

    def _at(self, place: int) -> Choices:
        return self._moved.get(place) or self._networks[place]

    def open(self, choices: Choices) -> bool:
        """Return whether a network is feasible and not taken."""
        return choices in self._places and choices not in self._taken

    def take(self, choices: Choices, drawn: bool = False) -> None:
        """Mark a network as taken, so that it is never drawn again."""
        place = self._moved_to.get(choices, self._places[choices])
        last = self._at(len(self._networks) - len(self._taken) - 1)
        self._moved[place] = last
        self._moved_to[last] = place
        self._taken[choices] = None

    def dump(self) -> list[list[int]]:
        """Return the taken networks in the order they were taken."""
        return list(map(list, self._taken))

    def load(self, taken: list[list[int]]) -> None:
        """Restore what `dump` returned into a fresh object."""
        for choices in taken:
            self.take(tuple(choices))


class Drawn:
    """A space too large to list: random draws, and a walk through the reachable prefixes when draws fail."""

    def __init__(self, problem: SearchProblem) -> None:
        self._problem = problem
        self._space = problem.space
        self._taken: dict[Choices, None] = {}
        self._closed: set[Choices] = set()
        self._newly_closed: set[Choices] = set()

    def draw(self, rng: Random) -> Choices | None:
        """Return a feasible network not yet taken, or None.

        Another draw with an equal generator returns the same network.
        """
        self._newly_closed = set()
        for _ in range(ATTEMPTS):
            architecture = self._space.sample(rng)
            if architecture.choices not in self._taken and self._problem.feasible(architecture):
                return architecture.choices
        return self._walk(rng)

    def _walk(self, rng: Random) -> Choices | None:
        """Walk depth first through open prefixes, with options in random order, and note every exhausted branch."""
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
            prefix = next((child for option in untried if self._leads_on(child := (*parent, option))), None)
            if prefix is None:
                self._newly_closed.add(parent)
                branches.pop()
                if not branches:
                    return None
        return None

    def _leads_on(self, prefix: Choices) -> bool:
        """Return whether a prefix may lead to a new network; the answer is exact for complete prefixes."""
        known = prefix in self._closed or prefix in self._newly_closed or prefix in self._taken
        return not known and self._problem.reachable(prefix)

    def open(self, choices: Choices) -> bool:
        """Return whether a network is feasible and not taken."""
        return choices not in self._taken and self._problem.feasible(Architecture(self._space.content_hash, choices))

    def take(self, choices: Choices, drawn: bool = False) -> None:
        """Mark a network as taken, so that it is never drawn again; ``drawn`` says that it is the last one drawn."""
        self._taken[choices] = None
        if drawn:
            self._closed |= self._newly_closed

    def dump(self) -> dict[str, Any]:
        """Return the taken networks and the branches known to be exhausted."""
        return {"taken": list(map(list, self._taken)), "closed": sorted(map(list, self._closed))}

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `dump` returned into a fresh object."""
        self._taken = dict.fromkeys(tuple(choices) for choices in state["taken"])
        self._closed = {tuple(choices) for choices in state["closed"]}


Networks = Listed | Drawn


def networks_of(problem: SearchProblem) -> Networks:
    """Return a new collection with no network taken."""
    return Listed(problem) if problem.space.size <= LISTED else Drawn(problem)


@lru_cache(maxsize=4)
def _all_feasible(problem: SearchProblem) -> tuple[tuple[Choices, ...], Mapping[Choices, int]]:
    """Return the networks and their places; cached, so that a rebuilt search does not list them again."""
    networks = tuple(feasible_networks(problem))
    return networks, {choices: place for place, choices in enumerate(networks)}


def feasible_networks(problem: SearchProblem) -> Iterator[Choices]:
    """Yield every feasible network in lexicographic order, without entering branches that cannot meet the target."""
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
