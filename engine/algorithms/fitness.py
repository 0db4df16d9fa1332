"""The value that regularised evolution and PPO maximise: the score, or MNAS's product of score and cost."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from engine.errors import ConfigError
from engine.problem import SearchProblem
from engine.space import Architecture

EXPONENT = -0.07
"""Exponent of the cost, as in MnasNet and in LayerNAS, appendices B and C."""

FitnessName = Literal["feasible", "mnas"]


class Fitness:
    """A network's value: its score, or its score weighted by its cost.

    With ``feasible`` the value is the score, and only feasible networks are `admitted`. With ``mnas`` it is
    ``score * (cost / target) ** -0.07``, where the target is the objective's upper limit. Networks above and below the
    target are then admitted, but limits on other costs still apply. The product makes sense only for positive scores.
    The constructor raises ConfigError at ``algorithm.objective`` if ``mnas`` has no target.
    """

    def __init__(self, name: FitnessName, problem: SearchProblem) -> None:
        self._target = problem.objective.hi if name == "mnas" else None
        if name == "mnas" and not self._target:
            message = "the MNAS objective needs a target above 0: set the objective's upper limit, or choose 'feasible'"
            raise ConfigError.at("algorithm.objective", message)
        self.admitted = problem if self._target is None else _without_range(problem)

    def __call__(self, architecture: Architecture, score: float) -> float | None:
        """Return the value; with ``mnas`` it is None if the cost is unknown or 0."""
        if self._target is None:
            return score
        cost = self.admitted.cost(architecture)
        return float(score * (cost / self._target) ** EXPONENT) if cost > 0 else None


@lru_cache(maxsize=2)
def _without_range(problem: SearchProblem) -> SearchProblem:
    """Return the problem without limits on its first cost; cached, because listing a problem's networks takes time."""
    return SearchProblem(problem.space, problem.objective.model_copy(update={"lo": None, "hi": None}), problem.table)
