"""Synthetic problems: every option has a whole-numbered cost and a reward, and a network's are the sums."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import prod
from random import Random

from engine.blueprint import Blueprint, InputSpec
from engine.cost import Cost
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices, State, SteppedSpace

UNIT = 1_000_000
"""Multiply-adds of one cost unit, so that ``madds_m`` counts units."""


class AdditiveSpace(SteppedSpace):
    """A chain of layers given by the cost of each option; named ``2-0-1``. It has costs but no networks."""

    kind = "additive"
    fixed_order = None

    def __init__(self, costs: Sequence[Sequence[int]], defaults: Sequence[int] | None = None) -> None:
        super().__init__(InputSpec())
        self.option_costs = tuple(map(tuple, costs))
        self._defaults = tuple(defaults or (max(range(len(c)), key=c.__getitem__) for c in self.option_costs))
        self._labels = [tuple(str(option) for option in range(len(layer))) for layer in self.option_costs]
        self._names = tuple(f"layer {i + 1}" for i in range(len(self.option_costs)))
        self._hash = sha256(repr((self.option_costs, self._defaults)).encode()).hexdigest()
        self._steps = [[Cost(madds=cost * UNIT) for cost in layer] for layer in self.option_costs]

    @classmethod
    def random(cls, seed: int, layers: int, options: int, largest: int) -> AdditiveSpace:
        """Costs drawn from 1 to ``largest``, the costliest option first and the default."""
        rng = Random(f"additive:{seed}")
        return cls([sorted((rng.randint(1, largest) for _ in range(options)), reverse=True) for _ in range(layers)])

    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> Sequence[str]:
        return self._labels[len(prefix)]

    def default_option(self, prefix: Choices) -> int:
        return self._defaults[len(prefix)]

    @property
    def size(self) -> int:
        return prod(map(len, self.option_costs))

    @property
    def content_hash(self) -> str:
        return self._hash

    def to_string(self, architecture: Architecture) -> str:
        return "-".join(map(str, architecture.choices))

    def from_string(self, text: str) -> Architecture:
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
    """The sum of a random reward for each chosen option; scores any architecture of the space."""

    def __init__(self, space: AdditiveSpace, seed: int) -> None:
        rng = Random(f"reward:{seed}")
        self._rewards = [[rng.random() for _ in layer] for layer in space.option_costs]

    def __call__(self, architecture: Architecture) -> float:
        return sum(rewards[choice] for rewards, choice in zip(self._rewards, architecture.choices, strict=True))
