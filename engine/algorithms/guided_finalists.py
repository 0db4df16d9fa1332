"""Finalists chosen one after the other: the estimate is the prior, and each finalist's accuracy is evidence.

The first finalist is the best network by the estimate. After that a surrogate learns what every finalist so far reached
and predicts a mean and a deviation for the other networks. The next finalist is the one with the largest optimistic
prediction among the better half by the estimate. Finalists that are still being trained count as if they had reached
their predicted mean, so that several finalists chosen together differ from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from engine.algorithms.features import reader_of
from engine.algorithms.finalists import Contender, Finalists, place
from engine.algorithms.gaussian_process import Floats, GaussianProcess
from engine.algorithms.proposals import Proposal
from engine.problem import SearchProblem
from engine.ranking import rank
from engine.space import Architecture, Choices

OPTIMISM = 1.0
"""How many standard deviations are added to the predicted mean."""
LOOKED_AT = 2_000
"""The surrogate predicts at most this many networks, the best by the estimate."""
EVIDENCE = 200
"""The surrogate learns from at most this many finalists, the best by their final scores."""
DECIMALS = 9


class Guided(Finalists):
    """Names ``count`` finalists, of which at most ``together`` wait for their outcomes at a time."""

    def __init__(self, problem: SearchProblem, count: int, together: int) -> None:
        self._problem = problem
        self._count = count
        self._together = together
        self._reader = reader_of(problem.space)
        self._contenders: dict[int, Contender] = {}
        self._taken: dict[int, None] = {}
        self._settled: dict[int, float | None] = {}

    @property
    def settled(self) -> int:
        """The number of finalists whose outcomes are known."""
        return len(self._settled)

    @property
    def over(self) -> bool:
        """Return whether all finalists are named."""
        return len(self._taken) >= self._count

    def learn(self, proposal: Proposal, worth: float) -> None:
        if self._problem.feasible(proposal.architecture):
            self._contenders[proposal.number] = Contender(worth, proposal.number, proposal.architecture.choices)

    def forget(self) -> None:
        self._contenders = {}

    def next(self) -> tuple[int, Architecture] | None:
        if self.over or len(self._taken) - len(self._settled) >= self._together:
            return None
        number = self._choose()
        if number is None:
            return None
        self._taken[number] = None
        return number, self._problem.space.architecture(self._contenders[number].choices)

    def settle(self, number: int, score: float | None) -> None:
        self._settled[number] = score

    def leaders(self, count: int) -> list[Contender]:
        """Return up to ``count`` finalists with the best final scores so far, best first."""
        return [self._contenders[number] for number in self._best(count)]

    def best_of(self, networks: Sequence[Choices], count: int) -> list[Choices]:
        """Return up to ``count`` most promising networks, best first.

        The networks have no estimate yet. At least one finalist must be settled.
        """
        if not networks:
            return []
        evidence = self._best(EVIDENCE)
        rows = [*networks, *(self._contenders[number].choices for number in evidence)]
        inputs = self._reader.inputs(rows)
        places = range(len(networks), len(rows))
        surrogate = GaussianProcess(inputs, inputs.rows(places), [self._settled[number] or 0.0 for number in evidence])
        order = _descending(_hopes(*surrogate.predict(inputs.rows(range(len(networks))))))
        return [networks[place] for place in order[:count]]

    def dump(self) -> dict[str, Any]:
        return {
            "contenders": [[s, n, list(c)] for s, n, c in self._contenders.values()],
            "taken": list(self._taken),
            "settled": [[number, score] for number, score in self._settled.items()],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        rows = (Contender(float(s), int(n), tuple(c)) for s, n, c in state["contenders"])
        self._contenders = {contender.number: contender for contender in rows}
        self._taken = dict.fromkeys(map(int, state["taken"]))
        self._settled = {int(n): None if score is None else float(score) for n, score in state["settled"]}

    def _best(self, count: int) -> list[int]:
        """Return the numbers of up to ``count`` finalists with final scores, best first."""
        scored = {number: score for number, score in self._settled.items() if score is not None}
        return sorted(scored, key=lambda n: rank(n, self._contenders[n].worth, scored[n]))[:count]

    def _choose(self) -> int | None:
        ranked = sorted(self._contenders.values(), key=place)
        open_ones = [c for c in ranked if c.number not in self._taken][:LOOKED_AT]
        if not open_ones:
            return None
        evidence = self._best(EVIDENCE)
        awaited = [number for number in self._taken if number not in self._settled]
        known = evidence + awaited
        if not known:
            return open_ones[0].number
        bar = median(contender.worth for contender in ranked)
        promising = [c for c in open_ones if c.worth >= bar] or open_ones
        pool = ranked[:LOOKED_AT]
        rows = promising + [self._contenders[number] for number in known] + pool
        inputs = self._reader.inputs([c.choices for c in rows], [c.worth for c in rows])
        first = len(promising)
        end = len(promising) + len(known)
        reference = inputs.rows(range(end, len(rows)))
        asked = inputs.rows(range(first))
        values = [score for number in evidence if (score := self._settled[number]) is not None]
        if awaited:
            places = range(first + len(evidence), end)
            guess = [0.0] * len(awaited)
            if evidence:
                seen = GaussianProcess(reference, inputs.rows(range(first, first + len(evidence))), values)
                guess = list(seen.predict(inputs.rows(places))[0])
            values += guess
        surrogate = GaussianProcess(reference, inputs.rows(range(first, end)), values)
        return promising[_descending(_hopes(*surrogate.predict(asked)))[0]].number


def _hopes(mean: Floats, deviation: Floats) -> Floats:
    return mean + OPTIMISM * deviation


def _descending(values: Floats) -> list[int]:
    """Return the positions of the values, largest first.

    Values that differ by rounding only are equal, and the first of equal values comes first.
    """
    scale = float(np.abs(values).max()) or 1.0
    return [int(place) for place in np.argsort(-np.round(values / scale, DECIMALS), kind="stable")]
