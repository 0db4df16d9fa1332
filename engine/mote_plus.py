"""MOTE+: MOTE's landscape joined with two terms of the untrained network (numpy and scipy only).

Each term is put on a scale that hardly depends on the data, then converted to standard deviations z of a population:

learning      log(m * log(classes)) + log(T) / 2: m is the mean of 1 / CE over MOTE's slice, log(classes) is the loss
              of guessing, and T is MOTE's deterministic T (`engine.launches`) over its mean; in MOTE's speed term it
              counts twice as much
distinctness  -log of how far the images' input gradients are from uncorrelated (the Jacobian covariance of
              arXiv 2006.04647v1 as an excess over no correlation at all, mean over images and initialisations)
richness      log of MeCo (how independent the channels of each layer are, summed over layers)
MOTE+         log P(z_learning) + log P(z_distinctness) + log P(z_richness), P the normal distribution function

The logarithm of P is steep for a bad term and flat for a good one, so a network must be good in all terms. The sum is
the log-rank sum of AZ-NAS (arXiv 2403.19232) with ranks in a fixed population, so that a score is a function of the
network, the data and the seed alone. Constants come from a population's terms, never from its accuracies. The terms and
the part of T were chosen on the tuning cells of `engine.benchmarks.cells`, which no figure uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from engine.mote import MEAN_SECONDS, SLICE_POINTS

EXCESS_FLOOR, EXCESS_CEILING = 1e-4, 1e5
"""Excesses are clipped to these limits; the ceiling is that of images that cannot be distinguished at all."""

RICHNESS_FLOOR = 1e-3
STD_FLOOR = 1e-6


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of one term in a population."""

    mean: float
    std: float

    def __call__(self, term: ArrayLike) -> NDArray[np.float64]:
        """Return the term in standard deviations, in the shape that was given."""
        return np.asarray((np.asarray(term, dtype=np.float64) - self.mean) / self.std)


@dataclass(frozen=True)
class MotePlusConstants:
    """The scale of each term in a population, and where the scales come from."""

    learning: Scale
    distinctness: Scale
    richness: Scale
    source: str

    def score(self, learning: ArrayLike, distinctness: ArrayLike, richness: ArrayLike) -> NDArray[np.float64]:
        """Return MOTE+ of one set of terms or of arrays of them: at most 0, and better when larger."""
        scales = (self.learning(learning), self.distinctness(distinctness), self.richness(richness))
        return np.asarray(sum(special.log_ndtr(z) for z in scales))

    def read(self, terms: Mapping[str, float]) -> float:
        """Return MOTE+ of one estimate's terms; a network that was not trained gets the mean of ``learning``."""
        learning = terms.get("learning", self.learning.mean)
        return float(self.score(learning, terms["distinctness"], terms["richness"]))


def learning_term(landscape: float, classes: int, seconds: float = MEAN_SECONDS) -> float:
    """Return the first term, from MOTE's landscape term and its T in seconds."""
    return float(np.log(landscape / SLICE_POINTS * np.log(max(classes, 2))) + np.log(seconds / MEAN_SECONDS) / 2)


def distinctness_term(excesses: Sequence[float]) -> float:
    """Return the second term. An initialisation's excess is minus the score of `jacob_cov` per image, less 1."""
    return -float(np.log(np.clip(np.mean(excesses), EXCESS_FLOOR, EXCESS_CEILING)))


def richness_term(sums: Sequence[float]) -> float:
    """Return the third term, from the `meco` of every initialisation."""
    return float(np.log(max(float(np.mean(sums)), RICHNESS_FLOOR)))


def fit(terms: Sequence[float]) -> Scale:
    """Return one term's scale in a population; ValueError if all values are equal.

    The scale comes from the median and the quartiles, so that networks that cannot learn at all do not widen it. If
    the quartiles are equal, they say nothing, and the standard deviation is used.
    """
    values = np.asarray(terms, dtype=np.float64)
    if values.min() == values.max():
        raise ValueError("all networks have the same value of a term")
    low, middle, high = np.percentile(values, [25, 50, 75])
    std = float(high - low) / 1.349 or float(values.std())
    return Scale(float(middle), max(std, STD_FLOOR))


NAS_BENCH_201 = MotePlusConstants(
    Scale(0.45, 0.21), Scale(4.52, 1.30), Scale(1.71, 0.56), "random cells of NAS-Bench-201, without accuracies"
)
"""Measured on the tuning cells, with the ``fast`` profile on the authors' reduced data."""


def constants_for(space_kind: str) -> MotePlusConstants:
    """Return the constants that a space begins with (`engine.calibration`); all spaces share one set."""
    return NAS_BENCH_201
