"""Our own scores for `engine.benchmarks.mote_nas`: MOTE+, computed on this machine once per cell and kept between runs.

Cells are scored on the authors' reduced data. A search is charged the CPU seconds that its cells took on this machine.
After ``NASWEB_BENCH_SECONDS`` (default `DEFAULT_SECONDS`) a run starts no new cell, and a search that needs one is left
to the next run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic, process_time

import torch

from engine.benchmarks.cells import reduced_data
from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import shared_data
from engine.config.estimators import MotePlusOptions
from engine.config.spaces import NasBench201Options
from engine.errors import Stopped
from engine.estimate import Estimate
from engine.estimators.mote_plus import MotePlusEstimator
from engine.space import Architecture, SearchSpace
from engine.spaces.nasbench201 import NasBench201Space
from engine.stopping import Stop, never

DEFAULT_SECONDS = 60.0
IMAGES = "cifar100_rd10.zip"


class OwnScores:
    """An estimator that keeps its scores; it raises `Stopped` if it must score a cell but its seconds are used up."""

    def __init__(self, space: SearchSpace) -> None:
        torch.set_num_threads(1)
        self.space = space
        self.options = MotePlusOptions()
        self._end = monotonic() + float(os.environ.get("NASWEB_BENCH_SECONDS", DEFAULT_SECONDS))
        self._estimator: MotePlusEstimator | None = None
        identity = {**self.options.model_dump(), "recipe": self.options.recipe, "data": IMAGES}
        self._kept = PartialResults("mote-nas-own", identity)

    @staticmethod
    def available() -> bool:
        """Return whether the images exist."""
        return shared_data(IMAGES).is_file()

    @property
    def cells(self) -> int:
        """The number of cells scored so far."""
        return len(self._kept.records)

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one estimate per cell, kept or new; that of a cell that could not be scored holds the error."""
        return [self._estimate(item) for item in items]

    def seconds(self, item: Architecture) -> float | None:
        """Return the seconds that a cell's score took; the cell is scored first if it has no score yet."""
        return self._estimate(item).seconds

    def _estimate(self, item: Architecture) -> Estimate:
        name = self.space.to_string(item)
        if name not in self._kept.records:
            self._kept.add(name, self._measure(name))
        record = self._kept.records[name]
        return Estimate(record["score"], seconds=record["seconds"], error=record["error"])

    def _measure(self, name: str) -> dict[str, object]:
        if monotonic() > self._end:
            raise Stopped("the seconds for own scores are used up")
        if self._estimator is None:
            data = reduced_data(shared_data(IMAGES))
            space = NasBench201Space(NasBench201Options(), data.info.spec)
            self._estimator = MotePlusEstimator(self.options, space, data)
            self._run(name)  # loads images and warms up kernels before the measurement
        started = process_time()
        estimate = self._run(name)
        found = replace(estimate, seconds=process_time() - started)
        return {"score": found.score, "seconds": found.seconds, "error": found.error}

    def _run(self, name: str) -> Estimate:
        assert self._estimator is not None
        architecture = self._estimator.space.from_string(name)
        return self._estimator.estimate_batch([architecture], seed=self.options.seed)[0]
