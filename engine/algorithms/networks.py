"""The feasible networks that a search has not proposed yet.

Spaces of up to `LISTED` architectures are listed once, and every feasible network not yet proposed is equally likely.
Larger ones are drawn uniformly, choice by choice, and what is infeasible or known is drawn again. When `ATTEMPTS`
draws find nothing, the tree of prefixes from which the target is still reachable is walked in random order to the next
new network: that is quick however few there are, but no longer uniform (thin branches are favoured). The walk
remembers exhausted branches, so it finds the last network and knows that it was; it gives up when `STEPS` prefixes
lead to no network at all (reachable intervals can be met by no network inside them).
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
    """All feasible networks of a small space in a list, from whose living part those taken are swapped out.

    The list itself is shared between searches; only the swaps are kept here.
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
        """Any network not yet taken, all equally likely."""
        living = len(self._networks) - len(self._taken)
        return self._at(rng.randrange(living)) if living else None

    def _at(self, place: int) -> Choices:
        return self._moved.get(place) or self._networks[place]

    def open(self, choices: Choices) -> bool:
        """Whether a network is feasible and not taken."""
        return choices in self._places and choices not in self._taken

    def take(self, choices: Choices, drawn: bool = False) -> None:
        """Never draw this one again."""
        place = self._moved_to.get(choices, self._places[choices])
        last = self._at(len(self._networks) - len(self._taken) - 1)
        self._moved[place] = last
        self._moved_to[last] = place
        self._taken[choices] = None

    def dump(self) -> list[list[int]]:
        """The networks taken, in order."""
        return list(map(list, self._taken))

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
            prefix = next((child for option in untried if self._leads_on(child := (*parent, option))), None)
            if prefix is None:
                self._newly_closed.add(parent)
                branches.pop()
                if not branches:
                    return None
        return None

    def _leads_on(self, prefix: Choices) -> bool:
        """Whether a prefix may lead to a new network; exact for complete ones."""
        known = prefix in self._closed or prefix in self._newly_closed or prefix in self._taken
        return not known and self._problem.reachable(prefix)

    def open(self, choices: Choices) -> bool:
        """Whether a network is feasible and not taken."""
        return choices not in self._taken and self._problem.feasible(Architecture(self._space.content_hash, choices))

    def take(self, choices: Choices, drawn: bool = False) -> None:
        """Never draw this one again; ``drawn`` when it is what was drawn last."""
        self._taken[choices] = None
        if drawn:
            self._closed |= self._newly_closed

    def dump(self) -> dict[str, Any]:
        """The networks taken and the branches known to be exhausted."""
        return {"taken": list(map(list, self._taken)), "closed": sorted(map(list, self._closed))}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `dump`, for a fresh object."""
        self._taken = dict.fromkeys(tuple(choices) for choices in state["taken"])
        self._closed = {tuple(choices) for choices in state["closed"]}


Networks = Listed | Drawn


def networks_of(problem: SearchProblem) -> Networks:
    """A fresh collection of which nothing is taken."""
    return Listed(problem) if problem.space.size <= LISTED else Drawn(problem)


@lru_cache(maxsize=4)
def _all_feasible(problem: SearchProblem) -> tuple[tuple[Choices, ...], Mapping[Choices, int]]:
    """The networks and their places, kept for the latest problems: a rebuilt search does not list them again."""
    networks = tuple(feasible_networks(problem))
    return networks, {choices: place for place, choices in enumerate(networks)}


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
