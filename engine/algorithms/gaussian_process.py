"""A small Gaussian process over networks, which predicts values of untrained networks from trained ones.

The kernel is the sum of a linear kernel over standardised numbers (traits, costs, an estimate) and a kernel that falls
with the number of decisions that differ. The first generalises from a handful of networks; the second learns what is
special about a neighbourhood. Three hyperparameters are chosen from a short list by marginal likelihood (Rasmussen and
Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular

Floats = NDArray[np.float64]

DECAYS = (0.3, 0.8)
SLOPES = (1.0, 3.0, 10.0)
NOISES = (0.02, 0.1)
"""Values that are tried: decay per differing decision, variance of the linear part, variance of the noise.

Variances are relative to the variance of the observed values."""
LOCAL = 0.25
"""Variance of the kernel that falls with the number of differing decisions."""


@dataclass(frozen=True)
class Inputs:
    """Inputs of n networks: ``decisions`` (n, d) as whole numbers, ``numbers`` (n, m) on any scales."""

    decisions: NDArray[np.intp]
    numbers: Floats

    def __len__(self) -> int:
        return len(self.decisions)

    def rows(self, rows: Sequence[int]) -> Inputs:
        """Return the inputs of some of the networks."""
        return Inputs(self.decisions[list(rows)], self.numbers[list(rows)])


class GaussianProcess:
    """Predicts networks' values from those observed; ``reference`` sets the scale on which numbers are compared."""

    def __init__(self, reference: Inputs, observed: Inputs, values: Sequence[float]) -> None:
        spread = reference.numbers.std(axis=0)
        self._kept = spread > 1e-9
        self._mean = reference.numbers.mean(axis=0)[self._kept]
        self._scale = spread[self._kept] * np.sqrt(max(1, int(self._kept.sum())))
        self._observed = observed
        self._linear = self._standard(observed)
        given = np.asarray(values, dtype=np.float64)
        self._level = float(given.mean())
        self._unit = float(given.std()) or 1.0
        self._fit((given - self._level) / self._unit)

    def predict(self, inputs: Inputs) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of each network's value, in the values' unit and without the noise."""
        linear = self._standard(inputs)
        cross = _kernel(self._distances(inputs), linear @ self._linear.T, self._decay, self._slope)
        mean = cross @ self._weights
        known = solve_triangular(self._factor, cross.T, lower=True)
        variance = LOCAL + self._slope * (linear**2).sum(axis=1) - (known**2).sum(axis=0)
        return self._level + self._unit * mean, self._unit * np.sqrt(np.maximum(variance, 0.0))

    def _fit(self, values: Floats) -> None:
        """Keep the hyperparameters with the largest marginal likelihood, the first among equals."""
        distances = self._distances(self._observed)
        inner = self._linear @ self._linear.T
        best = -np.inf
        for decay, slope, noise in product(DECAYS, SLOPES, NOISES):
            factor = cholesky(_kernel(distances, inner, decay, slope) + noise * np.eye(len(values)), lower=True)
            weights = cho_solve((factor, True), values)
            likelihood = -0.5 * float(values @ weights) - float(np.log(np.diag(factor)).sum())
            if likelihood > best + 1e-9:
                best = likelihood
                self._decay = decay
                self._slope = slope
                self._factor = factor
                self._weights = weights

    def _standard(self, inputs: Inputs) -> Floats:
        return np.asarray((inputs.numbers[:, self._kept] - self._mean) / self._scale)

    def _distances(self, inputs: Inputs) -> Floats:
        """Return the number of decisions that differ between each pair, (n, observed)."""
        differ = inputs.decisions[:, None, :] != self._observed.decisions[None, :, :]
        return np.asarray(differ.sum(axis=2), dtype=np.float64)


def _kernel(distances: Floats, inner: Floats, decay: float, slope: float) -> Floats:
    return np.asarray(LOCAL * np.exp(-decay * distances) + slope * inner)
