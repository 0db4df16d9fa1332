"""A factorised categorical policy over architectures, and the clipped policy gradient that trains it (numpy only).

Every layer has a logit for each of its options. An option is drawn from the softmax over the options that may still
lead to a feasible network, given the options drawn before. Logits have shape (L, K) for L layers and at most K options;
batches of N networks have choices (N, L), masks (N, L, K) and log probabilities (N,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem import SearchProblem
from engine.space import Choices

Floats = NDArray[np.float64]
CLIP = 0.2
"""Clipping range of the ratio of probabilities (Schulman et al. 2017, section 3)."""
ENTROPY = 0.05
"""Weight of the entropy bonus (section 5), for advantages in standard deviations."""
BETA1 = 0.9
BETA2 = 0.999
EPSILON = 1e-8
"""Constants of Adam, which climbs the objective."""


class Policy:
    """The logits, Adam's two moments, and the number of steps."""

    def __init__(self, problem: SearchProblem, learning_rate: float) -> None:
        self._problem = problem
        self._rate = learning_rate
        self._depth = problem.space.depth
        self._weights = np.zeros((3, self._depth, 1))  # logits, first and second moment
        self._steps = 0
        self._options = lru_cache(maxsize=10_000)(self._list_options)

    def _list_options(self, prefix: Choices) -> tuple[int, ...]:
        """Return the options of the next layer from which the target can be met."""
        return tuple(self._problem.children(prefix))

    def sample(self, rng: Random) -> Choices | None:
        """Return a random network, or None if the drawn prefix turns out to be a dead end."""
        prefix: Choices = ()
        while len(prefix) < self._depth:
            options = self._options(prefix)
            if not options:
                return None
            self._widen(options[-1] + 1)
            logits = self._weights[0, len(prefix), list(options)]
            prefix = (*prefix, rng.choices(options, np.exp(logits - logits.max()).tolist())[0])
        return prefix

    def log_chances(self, networks: Sequence[Choices]) -> Floats:
        """Return the log probability of each network to be sampled, (N,)."""
        choices, masks = self._batch(networks)
        return _chosen(self._log_softmax(masks), choices)

    def improve(self, networks: Sequence[Choices], advantages: Floats, before: Floats) -> None:
        """Take one step up the clipped surrogate objective (equation 7) plus the entropy bonus.

        ``before`` are the networks' log probabilities at the time they were proposed.
        """
        choices, masks = self._batch(networks)
        logs = self._log_softmax(masks)
        chances = np.where(masks, np.exp(logs), 0.0)
        ratios = np.exp(_chosen(logs, choices) - before)
        clipped = np.where(advantages > 0, ratios > 1 + CLIP, ratios < 1 - CLIP)
        weights = np.where(clipped, 0.0, ratios * advantages)
        taken = np.arange(masks.shape[2]) == choices[..., None]
        safe_logs = np.where(masks, logs, 0.0)
        entropy = -(chances * safe_logs).sum(axis=2, keepdims=True)
        gradient = weights[:, None, None] * (taken - chances) - ENTROPY * chances * (safe_logs + entropy)
        self._ascend(gradient.mean(axis=0))

    def _ascend(self, gradient: Floats) -> None:
        self._steps += 1
        logits, first, second = self._weights
        first += (1 - BETA1) * (gradient - first)
        second += (1 - BETA2) * (gradient**2 - second)
        size = np.sqrt(second / (1 - BETA2**self._steps)) + EPSILON
        logits += self._rate * first / (1 - BETA1**self._steps) / size

    def _batch(self, networks: Sequence[Choices]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        allowed = [[self._options(network[:layer]) for layer in range(self._depth)] for network in networks]
        self._widen(1 + max(options[-1] for row in allowed for options in row))
        masks = np.zeros((len(networks), *self._weights.shape[1:]), dtype=bool)
        for place, row in enumerate(allowed):
            for layer, options in enumerate(row):
                masks[place, layer, list(options)] = True
        return np.array(networks), masks

    def _log_softmax(self, masks: NDArray[np.bool_]) -> Floats:
        logits = np.where(masks, self._weights[0], -np.inf)
        logits = logits - logits.max(axis=2, keepdims=True)
        logs: Floats = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return logs

    def _widen(self, options: int) -> None:
        """Make room for ``options`` options per layer; new logits begin at zero."""
        missing = options - self._weights.shape[2]
        if missing > 0:
            self._weights = np.pad(self._weights, ((0, 0), (0, 0), (0, missing)))

    def dump(self) -> dict[str, Any]:
        """Return a state that can be written as JSON; `load` reads it."""
        return {"weights": self._weights.tolist(), "steps": self._steps}

    def load(self, state: Mapping[str, Any]) -> None:
        """Fill a new policy from a dumped state."""
        self._weights = np.array(state["weights"], dtype=np.float64).reshape(3, self._depth, -1)
        self._steps = int(state["steps"])


def _chosen(logs: Floats, choices: NDArray[np.int64]) -> Floats:
    """Return the log probability of whole networks: the sum over their layers."""
    taken: Floats = np.take_along_axis(logs, choices[..., None], axis=2)
    total: Floats = taken.sum(axis=(1, 2))
    return total
