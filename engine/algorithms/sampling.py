"""Common ground of the algorithms that propose whole networks, none twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.networks import Listed, Networks, networks_of
from engine.algorithms.proposals import Proposal
from engine.config.base import Options
from engine.problem import SearchProblem
from engine.space import Architecture, Choices


class Scored(NamedTuple):
    """A network with the number of its proposal and what it is worth to the algorithm (higher is better)."""

    number: int
    value: float
    choices: Choices

    @classmethod
    def of(cls, number: int, value: float, choices: list[int]) -> Scored:
        """A row of a saved state; `list` is the inverse."""
        return cls(int(number), float(value), tuple(choices))


class SamplingSearch(SearchAlgorithm):
    """Ends when every network that ``admitted`` (default: the problem) calls feasible has been proposed."""

    def __init__(
        self, options: Options, problem: SearchProblem, seed: int, admitted: SearchProblem | None = None
    ) -> None:
        super().__init__(options, problem, seed)
        self._admitted = admitted or problem
        self._collection: Networks | None = None
        self._next: tuple[int, Choices | None] | None = None

    def bound(self) -> int | None:
        """The number of networks that may be proposed, where they are few enough to be listed."""
        networks = self._networks
        return networks.total if isinstance(networks, Listed) else None

    @property
    def _networks(self) -> Networks:
        """Made on first use: listing a space takes a moment."""
        if self._collection is None:
            self._collection = networks_of(self._admitted)
        return self._collection

    def _new(
        self, number: int, choices: Choices, origin: str, layer: int | None = None, parent: int | None = None
    ) -> Proposal:
        """The proposal of a network that is open."""
        self._networks.take(choices)
        return Proposal(number, Architecture(self.space.content_hash, choices), origin, layer, parent=parent)

    def _random(self, number: int) -> Proposal | None:
        """The proposal of a random network that is open; None when there is none."""
        choices = self._peek(number)
        if choices is None:
            return None
        self._networks.take(choices, drawn=True)
        return Proposal(number, Architecture(self.space.content_hash, choices), "random")

    def _peek(self, number: int) -> Choices | None:
        """What the random proposal of that number will be: the same however often it is asked."""
        if self._next is None or self._next[0] != number:
            self._next = number, self._networks.draw(self.rng(number))
        return self._next[1]

    def _exhausted(self) -> bool:
        return self._peek(self.asked) is None

    def _dump_state(self) -> dict[str, Any]:
        return {"networks": self._networks.dump()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        networks = networks_of(self._admitted)
        networks.load(state["networks"])
        self._collection = networks
        self._next = None
