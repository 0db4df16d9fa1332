"""How well an estimate ranks architectures: Kendall's tau, Spearman's rho, their bootstrap intervals, the best tenth.

Scores are better when larger. A score that is NaN or minus infinity is an architecture that the estimate could not
score: it ranks below every other, tied with its like. Architectures of unknown truth (NaN) are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
Statistic = Callable[[Values, Values], float]

LEAST = 3
"""Fewer architectures than this have no correlation to speak of."""


@dataclass(frozen=True)
class Interval:
    """A statistic of ``count`` architectures with its 95% percentile bootstrap interval.

    All three are NaN below `LEAST` architectures, or where all scores or all truths are equal.
    """

    value: float
    low: float
    high: float
    count: int


def kendall(scores: ArrayLike, truth: ArrayLike) -> float:
    """Kendall's tau-b: 1 for the same order, -1 for the reverse, 0 for none; NaN where it is undefined."""
    return _kendall(*comparable(scores, truth))


def spearman(scores: ArrayLike, truth: ArrayLike) -> float:
    """Spearman's rho, the linear correlation of the ranks; NaN where it is undefined."""
    return _spearman(*comparable(scores, truth))


def kendall_interval(scores: ArrayLike, truth: ArrayLike, *, seed: int = 0, resamples: int = 1000) -> Interval:
    """Kendall's tau with its interval."""
    return _interval(_kendall, *comparable(scores, truth), seed=seed, resamples=resamples)


def spearman_interval(scores: ArrayLike, truth: ArrayLike, *, seed: int = 0, resamples: int = 1000) -> Interval:
    """Spearman's rho with its interval."""
    return _interval(_spearman, *comparable(scores, truth), seed=seed, resamples=resamples)


def best(scores: ArrayLike, truth: ArrayLike, share: float = 0.1) -> tuple[Values, Values]:
    """Scores and truths of the ``share`` of architectures that are best in truth (at least one), best first.

    What a search has to tell apart in the end; ties in truth at the edge go to those given first.
    """
    known_scores, known_truth = comparable(scores, truth)
    order = np.argsort(-known_truth, kind="stable")[: max(round(share * len(known_truth)), 1)]
    return known_scores[order], known_truth[order]


def comparable(scores: ArrayLike, truth: ArrayLike) -> tuple[Values, Values]:
    """Both as arrays without the architectures of unknown truth; unscored ones get minus infinity."""
    given = np.asarray(scores, dtype=np.float64)
    known = np.asarray(truth, dtype=np.float64)
    if given.shape != known.shape or given.ndim != 1:
        raise ValueError(f"scores and truth must be two lists of one length, not {given.shape} and {known.shape}")
    rows = ~np.isnan(known)
    return np.where(np.isnan(given[rows]), -np.inf, given[rows]), known[rows]


def _interval(statistic: Statistic, scores: Values, truth: Values, *, seed: int, resamples: int) -> Interval:
    value, count = statistic(scores, truth), len(truth)
    if np.isnan(value):
        return Interval(value, value, value, count)
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, count, count) for _ in range(resamples)]
    found = np.array([statistic(scores[rows], truth[rows]) for rows in drawn])
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return Interval(value, float(low), float(high), count)


def _kendall(scores: Values, truth: Values) -> float:
    from scipy import stats

    return float(stats.kendalltau(scores, truth).statistic) if _ranked(scores, truth) else float("nan")


def _spearman(scores: Values, truth: Values) -> float:
    if not _ranked(scores, truth):
        return float("nan")
    from scipy import stats

    return float(np.corrcoef(stats.rankdata(scores), stats.rankdata(truth))[0, 1])


def _ranked(scores: Values, truth: Values) -> bool:
    return len(scores) >= LEAST and bool((scores != scores[0]).any()) and bool((truth != truth[0]).any())
