"""How well an estimate ranks architectures: Kendall's tau, Spearman's rho, bootstrap intervals, the best tenth.

Larger scores are better. A score of NaN or minus infinity means that the estimate could not score the architecture: all
such architectures tie and rank below all others. Architectures with unknown truth (NaN) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
Ranks = NDArray[np.int32]
Counts = NDArray[np.float32]

LEAST = 3
"""The smallest number of architectures for which a correlation is given."""
MOST_RESAMPLED = 1_000
"""The largest number of architectures that `kendall_interval` resamples; from more, the seed draws this many."""


@dataclass(frozen=True)
class Interval:
    """A statistic of ``count`` architectures with its 95% percentile bootstrap interval.

    All three numbers are NaN below `LEAST` architectures, or if all scores or all truths are equal.
    """

    value: float
    low: float
    high: float
    count: int


def kendall(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return Kendall's tau-b: 1 for the same order, -1 for the reverse, 0 for no relation; NaN if it is undefined."""
    return _kendall(*comparable(scores, truth))


def spearman(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return Spearman's rho, the linear correlation of the ranks; NaN if it is undefined."""
    return _spearman(*comparable(scores, truth))


def kendall_interval(scores: ArrayLike, truth: ArrayLike, *, seed: int = 0, resamples: int = 1000) -> Interval:
    """Return Kendall's tau of all architectures with its interval.

    From more than `MOST_RESAMPLED` architectures a sample is resampled, so that the time does not grow. The sample's
    deviations are scaled by the square root of its share, because an interval narrows with 1 / sqrt(count).
    """
    known_scores, known_truth = comparable(scores, truth)
    value = _kendall(known_scores, known_truth)
    count = len(known_truth)
    if np.isnan(value):
        return Interval(value, value, value, count)
    rng = np.random.default_rng(seed)
    sample = np.arange(count) if count <= MOST_RESAMPLED else rng.choice(count, MOST_RESAMPLED, replace=False)
    one, two = _ranks(known_scores[sample]), _ranks(known_truth[sample])
    centre, *found = _tau_of_draws(one, two, _draws(rng, len(sample), resamples)).tolist()
    found = [tau for tau in found if isfinite(tau)]
    if not found or not isfinite(centre):
        return Interval(value, -1.0, 1.0, count)
    deviations = (np.percentile(found, [2.5, 97.5]) - centre) * sqrt(len(sample) / count)
    low, high = np.clip(value + deviations, -1, 1).tolist()
    return Interval(value, low, high, count)


def best(scores: ArrayLike, truth: ArrayLike, share: float = 0.1) -> tuple[Values, Values]:
    """Return scores and truths of the ``share`` of architectures with the best truth (at least one), best first.

    A search must distinguish these in the end. Among equal truths at the limit, those given first are taken.
    """
    known_scores, known_truth = comparable(scores, truth)
    order = np.argsort(-known_truth, kind="stable")[: max(round(share * len(known_truth)), 1)]
    return known_scores[order], known_truth[order]


def comparable(scores: ArrayLike, truth: ArrayLike) -> tuple[Values, Values]:
    """Return both as arrays without the architectures of unknown truth; missing scores become minus infinity."""
    given = np.asarray(scores, dtype=np.float64)
    known = np.asarray(truth, dtype=np.float64)
    if given.shape != known.shape or given.ndim != 1:
        raise ValueError(f"scores and truth must be lists of the same length, not {given.shape} and {known.shape}")
    rows = ~np.isnan(known)
    return np.where(np.isnan(given[rows]), -np.inf, given[rows]), known[rows]


def _draws(rng: np.random.Generator, count: int, resamples: int) -> Counts:
    """Return how often each of ``count`` architectures is in each resample, (resamples + 1, count).

    The first row has every architecture once.
    """
    rows = rng.integers(0, count, (resamples, count)) + count * np.arange(1, resamples + 1)[:, None]
    every = np.concatenate([np.arange(count), rows.ravel()])
    return np.bincount(every, minlength=(resamples + 1) * count).reshape(-1, count).astype(np.float32)


def _ranks(values: Values) -> Ranks:
    """Return ranks from 0 without gaps; equal values have equal ranks."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _tau_of_draws(one: Ranks, two: Ranks, draws: Counts) -> Values:
    """Return tau-b of every resample, NaN if it is undefined.

    A row of ``draws`` says how often each architecture is in the resample. The sums over pairs are integers that
    float32 represents exactly.
    """
    above = one[:, None] > one
    agree = (above & (two[:, None] > two)).astype(np.float32) - (above & (two[:, None] < two))
    balance = 2.0 * np.einsum("ij,ij->i", draws @ agree, draws).astype(np.float64)
    with np.errstate(invalid="ignore"):
        tau: Values = balance / np.sqrt(_untied(one, draws) * _untied(two, draws))
    return tau


def _untied(ranks: Ranks, draws: Counts) -> Values:
    """Return, for every resample, the number of ordered pairs of members that differ."""
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    alike = np.add.reduceat(draws[:, order], starts, axis=1)
    differ: Values = len(ranks) ** 2.0 - np.einsum("ij,ij->i", alike, alike)
    return differ


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
