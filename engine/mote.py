"""MOTE's arithmetic: two terms computed from losses, and their Box-Cox joint (MOTE, "The estimate").

landscape  sum over the G + 1 points of the slice from initial to trained weights of 1 / CE
speed      T / mean over epochs of CE
MOTE       lam_l^2 * std_l * boxcox(landscape, lam_l) + lam_s^2 * std_s * boxcox(speed, lam_s)

Larger values of all three are better. Nothing here trains: a recalibration needs only the stored terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOSS_FLOOR, LOSS_CEILING = 0.1, 100.0
"""Losses are clipped to these limits, so that a single loss near 0 or a very large one cannot decide a term.

The published losses are between 0.38 and 22.7; label smoothing keeps any loss of ten classes above 0.07.
"""
SLICE_POINTS = 11
MEAN_SECONDS = 7.53
"""Mean seconds of a published run on a V100: the scale of T on which the published constants were fitted."""


@dataclass(frozen=True)
class BoxCox:
    """One term's Box-Cox exponent, and the standard deviation that weights the term in the joint."""

    lam: float
    std: float

    def __call__(self, term: ArrayLike) -> NDArray[np.float64]:
        """Return the weighted, transformed term."""
        from scipy import special

        return np.asarray(self.lam**2 * self.std * special.boxcox(np.asarray(term, dtype=np.float64), self.lam))


@dataclass(frozen=True)
class Constants:
    """The joint's constants and their source."""

    landscape: BoxCox
    speed: BoxCox
    source: str

    def mote(self, landscape: ArrayLike, speed: ArrayLike) -> NDArray[np.float64]:
        """Return MOTE for one pair of terms, or for arrays of terms."""
        return np.asarray(self.landscape(landscape) + self.speed(speed))

    def read(self, terms: Mapping[str, float]) -> float:
        """Return MOTE for the terms of one estimate."""
        return float(self.mote(terms["landscape"], terms["speed"]))


PUBLISHED: Mapping[str, Constants] = {
    "nasbench101": Constants(BoxCox(0.397, 0.463), BoxCox(0.714, 1.538), "published for NAS-Bench-101"),
    "nasbench201": Constants(BoxCox(0.860, 1.216), BoxCox(0.617, 0.961), "published for NAS-Bench-201"),
    "nasbench301": Constants(BoxCox(0.752, 1.173), BoxCox(0.258, 0.854), "published for NAS-Bench-301"),
}


BENCHMARK_OF: Mapping[str, str] = {"darts": "nasbench301"}
"""Spaces whose published constants are listed under their benchmark's name."""


def constants_for(space_kind: str) -> Constants:
    """Return the published constants of a space; other spaces begin with NAS-Bench-201's (`engine.calibration`)."""
    return PUBLISHED.get(BENCHMARK_OF.get(space_kind, space_kind), PUBLISHED["nasbench201"])


def landscape_term(slice_losses: Sequence[float]) -> float:
    """Return the landscape term for the losses at the slice's points, initial weights first."""
    return float((1 / _limited(slice_losses)).sum())


def speed_term(epoch_losses: Sequence[float], seconds: float = MEAN_SECONDS) -> float:
    """Return the speed term for the mean loss of each epoch; ``seconds`` is T.

    The default T is the same for every network, so that the score depends only on the losses. The estimate itself
    counts T from the network (`engine.launches`), which ranks better.
    """
    return float(seconds / _limited(epoch_losses).mean())


def fit(terms: Sequence[float]) -> BoxCox:
    """Fit a term's constants to a population; ValueError if all values are equal.

    ``lam`` is the maximum-likelihood exponent of Box-Cox, ``std`` the standard deviation of the transformed terms.
    """
    from scipy import stats

    transformed, lam = stats.boxcox(np.asarray(terms, dtype=np.float64))
    return BoxCox(float(lam), float(np.std(transformed)))


def _limited(losses: Sequence[float]) -> NDArray[np.float64]:
    return np.clip(np.asarray(losses, dtype=np.float64), LOSS_FLOOR, LOSS_CEILING)
