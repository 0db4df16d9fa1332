"""The common part of estimates that build networks: items are scored one by one, and failures are put in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import torch

from engine.config.base import Options
from engine.datasets.base import ImageData
from engine.errors import ArchitectureError, ConfigError, EngineError, EstimateError, Stopped
from engine.estimate import Estimate
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop, never
from engine.training import best_device, device_name


class TrainingEstimator(ABC):
    """Base of `Estimator`s that build networks; subclasses implement `_score`."""

    def __init__(self, options: Options, space: SearchSpace, data: ImageData | None, table: object = None) -> None:
        if data is None:
            raise ConfigError.at("dataset", "This estimate trains networks; choose the data to train on.")
        self.space = space
        self.data = data
        self.device = best_device()

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one `Estimate` for each item, in order. Scores do not depend on the other items of a batch."""
        return [self._estimate(item, seed, fidelity, stop) for item in items]

    def seconds(self, item: Architecture) -> float | None:
        """Return None, because the seconds are not known before the training."""
        return None

    @abstractmethod
    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        """Return the score of one network; the caller fills in seconds, device, seed and fidelity."""

    def _estimate(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        if stop():
            raise Stopped("stopped between two networks")
        started = perf_counter()
        try:
            estimate = self._score(item, seed, fidelity, stop)
        except (ArchitectureError, EstimateError) as error:
            estimate = Estimate(None, error=str(error))
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            estimate = Estimate(None, error="there was not enough memory to train this network")
        seconds = perf_counter() - started
        return replace(estimate, seconds=seconds, device=device_name(self.device), seed=seed, fidelity=fidelity)


def unknown_fidelity(fidelity: str, known: str) -> EngineError:
    """Return the error for a fidelity that an estimate does not have; ``known`` says which there are."""
    return EngineError(f"there is no fidelity '{fidelity}'; {known}")


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
