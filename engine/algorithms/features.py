"""Networks as rows of numbers and decisions, for `engine.algorithms.gaussian_process`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log1p

import numpy as np

from engine.algorithms.gaussian_process import Floats, Inputs
from engine.errors import ArchitectureError
from engine.reduction.profiles import REDUCED_CHANNELS
from engine.space import Architecture, Choices, SearchSpace
from engine.traits import traits

KEPT = 50_000


class Reader:
    """A reader that turns networks of one space into numbers and decisions, and remembers those it has read."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._codes: dict[tuple[int, str], int] = {}
        self._known: dict[Choices, tuple[tuple[int, ...], Mapping[str, float]]] = {}

    def inputs(self, networks: Sequence[Choices], estimates: Sequence[float] | None = None) -> Inputs:
        """Return the networks' decisions and numbers: traits, logarithms of costs, and ranks of estimates if given.

        There is one column for each trait or cost of at least one of the networks; it is 0 for the other networks.
        """
        read = [self._read(choices) for choices in networks]
        names = sorted({name for _, numbers in read for name in numbers})
        table = np.array([[numbers.get(name, 0.0) for name in names] for _, numbers in read], dtype=np.float64)
        if estimates is not None:
            table = np.column_stack([table, _ranks(estimates)])
        return Inputs(np.array([decisions for decisions, _ in read], dtype=np.intp), table)

    def distance(self, one: Choices, other: Choices) -> int:
        """Return the number of decisions in which two networks differ."""
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
        """Return traits of the reduced network, if the space can build it, and logarithms of the full one's costs."""
        architecture = Architecture(self._space.content_hash, choices)
        costs = {f"log_{name}": log1p(cost) for name, cost in self._space.cost(architecture).as_dict().items()}
        try:
            return costs | traits(self._space.reduced_blueprint(architecture, self._space.spec, REDUCED_CHANNELS))
        except ArchitectureError:
            return costs


@lru_cache(maxsize=4)
def reader_of(space: SearchSpace) -> Reader:
    """Return the reader of a space; it is cached, so that all searches of the space share its memory."""
    return Reader(space)


def _ranks(estimates: Sequence[float]) -> Floats:
    """Return ranks from 0 to 1; equal estimates share their mean rank.

    Ranks make estimates independent of their scale and of outliers.
    """
    given = np.asarray(estimates, dtype=np.float64)
    below = (given[None, :] < given[:, None]).sum(axis=1)
    equal = (given[None, :] == given[:, None]).sum(axis=1)
    return np.asarray((below + (equal - 1) / 2) / max(1, len(given) - 1), dtype=np.float64)
