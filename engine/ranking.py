"""The one order of networks that decides which of them is best.

A network with a final score comes before every network without one, and final scores decide among these. After that the
networks are ordered by worth, which is what the score of the search's estimate is worth given the network's cost
(`engine.merit`); without a size exponent the worth is the score itself. The network with the lower number, which was
proposed earlier, wins a tie. Only feasible networks with a score are ranked; callers leave out the others.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.merit import merit

Rank = tuple[bool, float, float, int]
"""Where a network stands. Ranks sort best first."""


def rank(number: int, worth: float, final_score: float | None = None) -> Rank:
    """Return the rank of the network that was proposed as ``number``."""
    if final_score is None:
        return True, 0.0, -worth, number
    return False, -final_score, -worth, number


def rank_by_score(
    number: int, score: float, cost: float | None, size_exponent: float, final_score: float | None = None
) -> Rank:
    """Return the rank of a network whose worth is still to be computed from its score and its cost."""
    return rank(number, merit(score, cost, size_exponent), final_score)


def leads(ranks: Iterable[Rank]) -> list[int]:
    """Return the positions at which a network comes to lead all those before it."""
    found: list[int] = []
    best: Rank | None = None
    for position, standing in enumerate(ranks):
        if best is None or standing < best:
            best = standing
            found.append(position)
    return found


def leads_by_worth(worth: np.ndarray, feasible: np.ndarray) -> np.ndarray:
    """Return what `leads` returns, for arrays of feasible and infeasible networks without final scores.

    The networks are given in the order of their numbers. Infeasible networks never lead.
    """
    considered = np.where(feasible, worth, -np.inf)
    best_before = np.maximum.accumulate(np.concatenate(([-np.inf], considered)))[:-1]
    return np.flatnonzero(considered > best_before)


def worths(scores: np.ndarray, costs: np.ndarray, size_exponent: float) -> np.ndarray:
    """Return what scores are worth, to the last digit as `engine.merit.merit` computes each of them."""
    if not size_exponent:
        return scores
    pairs = zip(scores.tolist(), costs.tolist(), strict=True)
    return np.array([merit(score, cost, size_exponent) for score, cost in pairs], dtype=np.float64)
