"""Local search: it moves from a random network to better neighbours, and restarts when there are none.

Neighbours differ in one layer and are tried in a seeded order; no network is scored twice. ``first`` moves as soon as a
better network has been told; ``best`` tries all neighbours first. When all neighbours are known, the search moves to
the best of them if it is better than the current network. Otherwise the current network is a local optimum, and the
search starts again from another random network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.algorithms.neighbours import neighbours
from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch, Scored
from engine.config.algorithms import LocalSearchOptions
from engine.problem import SearchProblem
from engine.space import Choices


class LocalSearch(SamplingSearch):
    """Hill climbing with restarts among feasible networks."""

    kind = "local_search"
    rescorable = True
    options: LocalSearchOptions

    def __init__(self, options: LocalSearchOptions, problem: SearchProblem, seed: int) -> None:
        super().__init__(options, problem, seed)
        self._scored: dict[Choices, Scored] = {}
        self._stand_on(None)

    def _stand_on(self, network: Scored | None, tried: int = 0) -> None:
        """Make a network the current one, of which ``tried`` neighbours have been tried."""
        self._current = network
        self._neighbours: list[tuple[int, Choices]] = []
        self._tried = tried
        if network is not None:
            self._neighbours = neighbours(self.space, network.choices)
            self.rng(network.number, "neighbours").shuffle(self._neighbours)

    def _propose(self, number: int) -> Proposal | None:
        while (current := self._current) is not None:
            while self._tried < len(self._neighbours):
                layer, choices = self._neighbours[self._tried]
                self._tried += 1
                if self._networks.open(choices):
                    return self._new(number, choices, "neighbour", layer, current.number)
            if self._pending:
                return None
            self._stand_on(self._better_neighbour(current))
        return None if self._pending else self._random(number)

    def _better_neighbour(self, current: Scored) -> Scored | None:
        """Return the best known neighbour that is better (the first among equals), or None at a local optimum."""
        known = (self._scored.get(choices) for _, choices in self._neighbours)
        better = (network for network in known if network is not None and network.value > current.value)
        return max(better, key=lambda network: network.value, default=None)

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        if score is None:
            return
        network = Scored(proposal.number, score, proposal.architecture.choices)
        self._scored[network.choices] = network
        current = self._current
        if current is None or (self.options.move == "first" and score > current.value):
            self._stand_on(network)

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Keep the current network, with its new value."""
        scored = (Scored(p.number, score, p.architecture.choices) for p, score in networks)
        self._scored = {network.choices: network for network in scored}
        if self._current is not None:
            self._current = self._scored[self._current.choices]

    def _dump_state(self) -> dict[str, Any]:
        return {
            **super()._dump_state(),
            "scored": list(map(list, self._scored.values())),
            "current": None if self._current is None else self._current.choices,
            "tried": self._tried,
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        super()._load_state(state)
        self._scored = {network.choices: network for network in (Scored.of(*row) for row in state["scored"])}
        current = state["current"]
        self._stand_on(None if current is None else self._scored[tuple(current)], int(state["tried"]))
