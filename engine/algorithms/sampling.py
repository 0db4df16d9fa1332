"""The base of the algorithms that propose whole networks, none twice."""

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
    """A network with the number of its proposal and its value to the algorithm (higher is better)."""

    number: int
    value: float
    choices: Choices

    @classmethod
    def of(cls, number: int, value: float, choices: list[int]) -> Scored:
        """Return the network of a row in a saved state; `list` makes such a row."""
        return cls(int(number), float(value), tuple(choices))


class SamplingSearch(SearchAlgorithm):
    """A search that ends when every feasible network has been proposed.

    The problem ``admitted`` (default: the search's own problem) decides which networks are feasible.
    """

    def __init__(
        self, options: Options, problem: SearchProblem, seed: int, admitted: SearchProblem | None = None
    ) -> None:
        super().__init__(options, problem, seed)
        self._admitted = admitted or problem
        self._collection: Networks | None = None
        self._next: tuple[int, Choices | None] | None = None

    def bound(self) -> int | None:
        """The number of networks that may be proposed, or None if they are too many to be listed."""
        networks = self._networks
        return networks.total if isinstance(networks, Listed) else None

    @property
    def _networks(self) -> Networks:
        """The networks not yet proposed; built on first use, because listing a space takes time."""
        if self._collection is None:
            self._collection = networks_of(self._admitted)
        return self._collection

    def _new(
        self, number: int, choices: Choices, origin: str, layer: int | None = None, parent: int | None = None
    ) -> Proposal:
        """Return the proposal of an open network, and mark it as taken."""
        self._networks.take(choices)
        return Proposal(number, Architecture(self.space.content_hash, choices), origin, layer, parent=parent)

    def _random(self, number: int) -> Proposal | None:
        """Return the proposal of a random open network, or None if there is none."""
        choices = self._peek(number)
        if choices is None:
            return None
        self._networks.take(choices, drawn=True)
        return Proposal(number, Architecture(self.space.content_hash, choices), "random")

    def _peek(self, number: int) -> Choices | None:
        """Return the network of the next random proposal, which has this number; repeated calls return the same."""
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
