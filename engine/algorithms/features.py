"""Networks as rows of numbers and decisions, for `engine.algorithms.surrogate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log1p

import numpy as np

from engine.algorithms.surrogate import Floats, Inputs
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices, SearchSpace
from engine.traits import traits

CHANNELS = 32
"""Base width of the reduced networks whose traits are read."""
KEPT = 50_000


class Reader:
    """Reads the networks of one space, each once as long as it is remembered."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._codes: dict[tuple[int, str], int] = {}
        self._known: dict[Choices, tuple[tuple[int, ...], Mapping[str, float]]] = {}

    def inputs(self, networks: Sequence[Choices], estimates: Sequence[float] | None = None) -> Inputs:
        """The networks' decisions, and their traits, logarithms of costs and, where given, estimates as numbers.

        Columns are those of the traits that occur among them.
        """
        read = [self._read(choices) for choices in networks]
        names = sorted({name for _, numbers in read for name in numbers})
        table = np.array([[numbers.get(name, 0.0) for name in names] for _, numbers in read], dtype=np.float64)
        if estimates is not None:
            table = np.column_stack([table, _ranks(estimates)])
        return Inputs(np.array([decisions for decisions, _ in read], dtype=np.intp), table)

    def distance(self, one: Choices, other: Choices) -> int:
        """Number of decisions that differ."""
        pairs = zip(self._decisions(one), self._decisions(other), strict=True)
        return sum(mine != theirs for mine, theirs in pairs)

    def _decisions(self, choices: Choices) -> tuple[int, ...]:
        labels = self._space.decisions(Architecture(self._space.content_hash, choices))
        return tuple(self._codes.setdefault(place, len(self._codes)) for place in enumerate(labels))

    def _read(self, choices: Choices) -> tuple[tuple[int, ...], Mapping[str, float]]:
        known = self._known.get(choices)
        if known is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[choices] = self._decisions(choices), self._numbers(choices)
        return known

    def _numbers(self, choices: Choices) -> Mapping[str, float]:
        """Traits of the reduced network, where the space has networks, and costs of the full one."""
        architecture = Architecture(self._space.content_hash, choices)
        costs = {f"log_{name}": log1p(cost) for name, cost in self._space.cost(architecture).as_dict().items()}
        try:
            return costs | traits(self._space.reduced_blueprint(architecture, self._space.spec, CHANNELS))
        except ArchitectureError:
            return costs


@lru_cache(maxsize=4)
def reader_of(space: SearchSpace) -> Reader:
    """The reader of a space, kept for the latest spaces: searches over one space share what was read."""
    return Reader(space)


def _ranks(estimates: Sequence[float]) -> Floats:
    """Ranks from 0 to 1, of equals the mean: estimates of any scale, and outliers, count alike."""
    given = np.asarray(estimates, dtype=np.float64)
    below = (given[None, :] < given[:, None]).sum(axis=1)
    equal = (given[None, :] == given[:, None]).sum(axis=1)
    return np.asarray((below + (equal - 1) / 2) / max(1, len(given) - 1), dtype=np.float64)
