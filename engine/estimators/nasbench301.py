"""NAS-Bench-301's surrogate as an estimate: predicted accuracies for every network of the DARTS space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.config.lookups import NasBench301Options
from engine.errors import ConfigError, Stopped
from engine.estimate import Estimate
from engine.space import Architecture, SearchSpace
from engine.spaces.darts import DartsSpace
from engine.stopping import Stop, never
from engine.tabular.nasbench301 import AccuracySurrogate
from engine.tabular.nasbench301_vector import vector

if TYPE_CHECKING:
    from engine.datasets.base import ImageData


class NasBench301Estimator:
    """Scores by the ensemble's mean, without the authors' optional noise; trials are charged nothing."""

    def __init__(
        self,
        options: NasBench301Options,
        space: SearchSpace,
        data: ImageData | None = None,
        surrogate: AccuracySurrogate | None = None,
    ) -> None:
        if not isinstance(space, DartsSpace):
            raise ConfigError.at("estimator.version", "NAS-Bench-301 predicts networks of the space darts only.")
        if surrogate is None:
            raise ConfigError.at("estimator.version", "This estimate needs the files of NAS-Bench-301.")
        self._space = space
        self._surrogate = surrogate

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one prediction for each item; all are computed at once."""
        if stop():
            raise Stopped("stopped before predicting")
        if not items:
            return []
        vectors = np.stack([vector(self._space.pairs(item, 0), self._space.pairs(item, 1)) for item in items])
        return [Estimate(float(score), {}, seed=seed, fidelity=fidelity) for score in self._surrogate.predict(vectors)]

    def seconds(self, item: Architecture) -> float | None:
        """Return 0: predictions are charged nothing."""
        return 0.0
