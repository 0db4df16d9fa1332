"""How well an estimate ranks architectures: Kendall's tau, Spearman's rho, their bootstrap intervals, the best tenth.

Scores are better when larger. A score that is NaN or minus infinity is an architecture that the estimate could not
score: it ranks below every other, tied with its like. Architectures of unknown truth (NaN) are left out.
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
"""Fewer architectures than this have no correlation to speak of."""
MOST_RESAMPLED = 1_000
"""Of more architectures so many, drawn by the seed, stand for all in the resampling of `kendall_interval`."""


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
    """Kendall's tau of all with its interval, which takes as long for many as for `MOST_RESAMPLED`.

    Beyond those, a sample's deviations are scaled by the root of its share: an interval narrows with 1 / sqrt(count).
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


def _draws(rng: np.random.Generator, count: int, resamples: int) -> Counts:
    """How often each of ``count`` architectures is in every resample, a row each; the first row has all once."""
    rows = rng.integers(0, count, (resamples, count)) + count * np.arange(1, resamples + 1)[:, None]
    every = np.concatenate([np.arange(count), rows.ravel()])
    return np.bincount(every, minlength=(resamples + 1) * count).reshape(-1, count).astype(np.float32)


def _ranks(values: Values) -> Ranks:
    """From 0, equal values alike, none left out."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _tau_of_draws(one: Ranks, two: Ranks, draws: Counts) -> Values:
    """Tau-b of every resample, a row of ``draws`` that says how often each architecture is in it; NaN: undefined.

    The sums over pairs are whole numbers that float32 holds exactly.
    """
    above = one[:, None] > one
    agree = (above & (two[:, None] > two)).astype(np.float32) - (above & (two[:, None] < two))
    balance = 2.0 * np.einsum("ij,ij->i", draws @ agree, draws).astype(np.float64)
    with np.errstate(invalid="ignore"):
        tau: Values = balance / np.sqrt(_untied(one, draws) * _untied(two, draws))
    return tau


def _untied(ranks: Ranks, draws: Counts) -> Values:
    """Of every resample, how many ordered pairs of its members differ."""
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
