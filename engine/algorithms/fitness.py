"""What regularised evolution and PPO maximise: the score, or MNAS's product of score and cost."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from engine.errors import ConfigError
from engine.problem import SearchProblem
from engine.space import Architecture

EXPONENT = -0.07
"""Weight of the cost as in MnasNet and in LayerNAS, appendices B and C."""

FitnessName = Literal["feasible", "mnas"]


class Fitness:
    """``feasible``: the score, of feasible networks only.

    ``mnas``: ``score * (cost / target) ** -0.07`` with the upper limit of the objective as the target; networks on
    both sides of it are `admitted`, further limits still bind. Scores must be positive for the product to make sense.
    ConfigError at ``algorithm.objective`` without a target.
    """

    def __init__(self, name: FitnessName, problem: SearchProblem) -> None:
        self._target = problem.objective.hi if name == "mnas" else None
        if name == "mnas" and not self._target:
            message = "the MNAS objective needs a target above 0: set the objective's upper limit, or choose 'feasible'"
            raise ConfigError.at("algorithm.objective", message)
        self.admitted = problem if self._target is None else _without_range(problem)

    def __call__(self, architecture: Architecture, score: float) -> float | None:
        """None when the cost is unknown or nothing."""
        if self._target is None:
            return score
        cost = self.admitted.cost(architecture)
        return float(score * (cost / self._target) ** EXPONENT) if cost > 0 else None


@lru_cache(maxsize=2)
def _without_range(problem: SearchProblem) -> SearchProblem:
    """The problem without the limits on its first cost; kept, because its networks are listed once a problem."""
    return SearchProblem(problem.space, problem.objective.model_copy(update={"lo": None, "hi": None}), problem.table)
