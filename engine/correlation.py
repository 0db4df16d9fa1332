"""How well an estimate ranks architectures: Kendall's tau, Spearman's rho, bootstrap intervals, the top of the ranking.

Larger scores are better. A score of NaN or minus infinity means that the estimate could not score the architecture: all
such architectures tie and rank below all others. Architectures with unknown truth (NaN) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, log10, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
Ranks = NDArray[np.int32]
Counts = NDArray[np.float32]

LEAST = 3
"""The smallest number of architectures for which a correlation is given."""
MOST_RESAMPLED = 1_000
"""The largest number of architectures that `kendall_interval` resamples; of more, the seed draws this many."""


@dataclass(frozen=True)
class Interval:
    """A statistic of ``count`` architectures with its 95% percentile bootstrap interval.

    All three numbers are NaN if there are fewer than `LEAST` architectures, or if all scores or all truths are equal.
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
    """Return Kendall's tau of all architectures with its interval (`Bootstrap`)."""
    bootstrap = Bootstrap(truth, seed=seed, resamples=resamples)
    return bootstrap.interval(bootstrap.of(scores))


def constant(scores: ArrayLike, truth: ArrayLike) -> str | None:
    """Return a clause which says that all architectures have the same score or truth, so that nothing is ranked.

    Return None if scores and truths both vary, or if there are fewer than `LEAST` architectures.
    """
    known_scores, known_truth = comparable(scores, truth)
    if len(known_truth) < LEAST:
        return None
    for values, name in ((known_scores, "score"), (known_truth, "truth")):
        if _is_constant(values):
            shown = f"{values[0]:g}" if isfinite(values[0]) else "none"
            return f"all {len(values):,} networks have the same {name}, {shown}"
    return None


@dataclass(frozen=True)
class Resampled:
    """Kendall's tau of an estimate over all architectures, and over the sample and every resample of a `Bootstrap`."""

    value: float
    taus: Values


class Bootstrap:
    """Intervals of several estimates from the same resamples of the same architectures, so that they can be paired.

    If there are more than `MOST_RESAMPLED` architectures, only a sample is resampled to save time. The sample's
    deviations are scaled by the square root of its share, because an interval narrows with 1 / sqrt(count).
    """

    def __init__(self, truth: ArrayLike, *, seed: int = 0, resamples: int = 1000) -> None:
        self._given = np.asarray(truth, dtype=np.float64)
        self._truth = self._given[~np.isnan(self._given)]
        count = len(self._truth)
        rng = np.random.default_rng(seed)
        few = count <= MOST_RESAMPLED
        self._sample = np.arange(count) if few else rng.choice(count, MOST_RESAMPLED, replace=False)
        self._draws = _draws(rng, len(self._sample), resamples) if count else np.empty((0, 0), dtype=np.float32)

    def of(self, scores: ArrayLike) -> Resampled:
        """Return Kendall's tau of one estimate, of all architectures and of every resample."""
        known = comparable(scores, self._given)[0]
        value = _kendall(known, self._truth)
        if not isfinite(value):
            return Resampled(value, np.empty(0))
        ranks, truth = _ranks(known[self._sample]), _ranks(self._truth[self._sample])
        return Resampled(value, _tau_of_draws(ranks, truth, self._draws))

    def interval(self, estimate: Resampled) -> Interval:
        """Return an estimate's tau with its interval."""
        return self._around(estimate.value, estimate.taus, 1.0)

    def difference(self, one: Resampled, other: Resampled) -> Interval:
        """Return by how much tau of ``one`` is above tau of ``other``, with the interval of the difference.

        It is a paired bootstrap: both taus of a resample come from the same architectures, so what they share cancels.
        """
        value = one.value - other.value
        return self._around(value, one.taus - other.taus if isfinite(value) else np.empty(0), 2.0)

    def _around(self, value: float, resampled: Values, bound: float) -> Interval:
        """Return a value with the interval of its resamples; the first resample has every architecture once."""
        count = len(self._truth)
        if not isfinite(value):
            return Interval(value, value, value, count)
        centre, *found = resampled.tolist()
        found = [each for each in found if isfinite(each)]
        if not found or not isfinite(centre):
            return Interval(value, -bound, bound, count)
        deviations = (np.percentile(found, [2.5, 97.5]) - centre) * sqrt(len(self._sample) / count)
        low, high = np.clip(value + deviations, -bound, bound).tolist()
        return Interval(value, low, high, count)


def count_to_separate(difference: Interval) -> int | None:
    """Return about how many architectures would give a difference an interval that does not contain 0.

    The interval is assumed to narrow with 1 / sqrt(count) around the same difference. The number is rounded up to two
    digits and is not less than the present count. It is None for a difference of 0, which no number of architectures
    separates.
    """
    if not isfinite(difference.value) or difference.value == 0:
        return None
    towards_zero = difference.value - (difference.low if difference.value > 0 else difference.high)
    wanted = difference.count * max((towards_zero / difference.value) ** 2, 1.0)
    step = 10.0 ** max(int(log10(wanted)) - 1, 0)
    return int(ceil(wanted / step) * step)


def ndcg(scores: ArrayLike, truth: ArrayLike, share: float = 0.1) -> float:
    """Return nDCG at the top ``share`` of the ranking (at least one place): 1 if it begins with the best, in order.

    The normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002, here with the gain of Burges et al., 2005;
    for architecture search Zhang et al., arXiv:2108.03001) is ``DCG / ideal DCG``. DCG sums ``(2^r - 1) / log2(j + 1)``
    over the places j = 1..k of the ranking by score, where k is ``share`` of the architectures, rounded. The ideal DCG
    is that of the ranking by truth. The relevance r of an architecture is the share of the others that are worse in
    truth, ties counted half, from 0 to 1. So the truth may have any unit, and a random order gives about 0.45;
    publications that take the accuracy itself as the relevance have other values. Architectures of equal score share
    the mean gain of their places (McSherry and Najork, 2008). The result is NaN if tau is undefined.
    """
    known_scores, known_truth = comparable(scores, truth)
    if not _ranked(known_scores, known_truth):
        return float("nan")
    count = len(known_truth)
    places = max(round(share * count), 1)
    order = np.sort(known_truth)
    worse = np.searchsorted(order, known_truth, "left") + np.searchsorted(order, known_truth, "right") - 1
    gains = np.exp2(worse / (2 * (count - 1))) - 1
    discounts = 1 / np.log2(np.arange(2, places + 2))
    groups = _ranks(-known_scores)
    means = np.bincount(groups, weights=gains) / np.bincount(groups)
    found = means[np.sort(groups)][:places] @ discounts
    return float(found / (np.sort(gains)[::-1][:places] @ discounts))


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
    return len(scores) >= LEAST and not _is_constant(scores) and not _is_constant(truth)


def _is_constant(values: Values) -> bool:
    return bool((values == values[0]).all())
