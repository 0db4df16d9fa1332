"""Synthetic problems: every option has an integer cost and a reward; a network's cost and reward are the sums."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from engine.blueprint import Blueprint, InputSpec
from engine.cost import Cost
from engine.errors import ArchitectureError
from engine.space import Architecture, State
from engine.spaces.listed import ListedSpace

UNIT = 1_000_000
"""Multiply-adds per unit of cost, so that ``madds_m`` counts units."""


class AdditiveSpace(ListedSpace):
    """A chain of layers, defined by the cost of each option; its architectures have names like ``2-0-1``.

    It has costs but no networks.
    """

    kind = "additive"
    fixed_order = None

    def __init__(self, costs: Sequence[Sequence[int]], defaults: Sequence[int] | None = None) -> None:
        self.option_costs = tuple(map(tuple, costs))
        defaults = tuple(defaults or (max(range(len(c)), key=c.__getitem__) for c in self.option_costs))
        labels = [[str(option) for option in range(len(layer))] for layer in self.option_costs]
        names = [f"layer {i + 1}" for i in range(len(self.option_costs))]
        super().__init__(InputSpec(), names, labels, defaults, repr((self.option_costs, defaults)))
        self._steps = [[Cost(madds=cost * UNIT) for cost in layer] for layer in self.option_costs]

    @classmethod
    def random(cls, seed: int, layers: int, options: int, largest: int) -> AdditiveSpace:
        """Return a space with costs drawn from 1 to ``largest``; the costliest option is first and is the default."""
        rng = Random(f"additive:{seed}")
        return cls([sorted((rng.randint(1, largest) for _ in range(options)), reverse=True) for _ in range(layers)])

    def from_string(self, text: str) -> Architecture:
        """Return the architecture of option numbers joined by ``-``, which may have leading zeros."""
        try:
            return self.architecture([int(part) for part in text.split("-")])
        except ValueError as error:
            raise ArchitectureError(f"'{text}' is not a list of option numbers joined by '-'") from error

    def blueprint(self, architecture: Architecture) -> Blueprint:
        raise ArchitectureError("a synthetic space has no networks")

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        raise ArchitectureError("a synthetic space has no networks")

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return "These networks only have costs."

    def initial_state(self) -> tuple[Cost, State]:
        return Cost(), ()

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        return self._steps[layer][choice], ()

    def final_cost(self, state: State) -> Cost:
        return Cost()


class AdditiveReward:
    """A function that scores any architecture of the space by the sum of a random reward for each chosen option."""

    def __init__(self, space: AdditiveSpace, seed: int) -> None:
        rng = Random(f"reward:{seed}")
        self._rewards = [[rng.random() for _ in layer] for layer in space.option_costs]

    def __call__(self, architecture: Architecture) -> float:
        return sum(rewards[choice] for rewards, choice in zip(self._rewards, architecture.choices, strict=True))
