"""Rank correlations of MOTE, MOTE+ and their parts on NAS-Bench-201's cells on which no setting was chosen.

``authors`` are the MOTE authors' values; ``authors_plus`` joins their losses with our terms of the untrained network.
``mote``, ``landscape``, ``tse`` and ``mote_plus`` are our own runs on the authors' reduced data. ``untrained`` is MOTE+
with that profile, without training. ``params`` and ``madds`` are costs. Intervals are 95% bootstrap intervals over
cells. ``seconds`` are CPU seconds of one thread per cell, where cells that compute the same function are trained once;
two processes on two cores take half as long.

``NASWEB_BENCH_SECONDS`` limits a run, which then reports on the cells measured so far; the next run continues there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
import torch

from engine import launches
from engine.benchmarks.cells import DATASETS, TUNING_CELLS, TruthCells, reduced_data
from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import Blueprint
from engine.config.estimators import MotePlusOptions
from engine.config.spaces import NasBench201Options
from engine.correlation import Interval, Values, best, kendall, kendall_interval
from engine.estimators.mote_plus import IMAGES, LOOKS, Looks, MotePlusEstimator
from engine.mote_plus import learning_term
from engine.reduction.architecture import reduced_spec
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS
from engine.space import Architecture
from engine.spaces.nasbench201 import NasBench201Space

CELLS, QUICK_CELLS = 1_000, 4
RESAMPLES, QUICK_RESAMPLES = 1_000, 50
GOALS = {"cifar10": 0.76, "cifar100": 0.74, "imagenet16_120": 0.72}
BEST_TENTH_GOAL = 0.35
THREAD_SECONDS_GOAL = 15.0
"""Goal in seconds of one thread: 7.5 s on two cores."""
CLASSES = 10
SEED = 0


def run(quick: bool) -> Report:
    """Report taus with intervals, over all cells and over the best tenth; earlier measurements are used again."""
    table = shared_data("nasbench201.parquet")
    images = shared_data("cifar100_rd10.zip")
    count = QUICK_CELLS if quick else CELLS
    options = MotePlusOptions()
    settings: dict[str, Any] = {
        "cells": count,
        "after_tuning_cells": TUNING_CELLS,
        "looks": LOOKS,
        "estimator": {**options.model_dump(), "recipe": options.recipe},
        "data": images.stem,
        "resamples": QUICK_RESAMPLES if quick else RESAMPLES,
    }
    for path in (table, images):
        if not path.is_file():
            return Report(settings, skipped=f"no file at {path}; set NASWEB_SHARED_DATA to the folder with it")
    torch.set_num_threads(1)
    cells = TruthCells.read(table).reported(count)
    study = _Study(images, options)
    study.measure(cells, float(os.environ.get("NASWEB_BENCH_SECONDS", "inf")))
    looked, trained = (cells.named(list(found.records)) for found in (study.looks, study.runs))
    settings["cells_looked_at"] = len(looked.archs)
    settings["cells_trained"] = len(trained.archs)
    resamples = settings["resamples"]
    figures = _figures(study.of_authors(looked), looked, resamples) + _figures(study.own(trained), trained, resamples)
    return Report(settings, [figure for figure in figures + study.costs() if not math.isnan(figure.value)])


class _Study:
    """Terms of untrained networks and runs of MOTE, by cell; each is written to disk at once."""

    def __init__(self, images: Path, options: MotePlusOptions) -> None:
        data = reduced_data(images)
        self.profile = options.profile
        common = {"data": images.stem, "seed": SEED}
        self.looks = PartialResults("mote-correlation-looks", {**common, "looks": LOOKS, "images": IMAGES})
        training = {"profile": self.profile, "recipe": options.recipe // 100}
        self.runs = PartialResults("mote-correlation-runs", {**common, **training})
        self.space = NasBench201Space(NasBench201Options(), data.info.spec)
        self.estimator = MotePlusEstimator(options, self.space, data)

    def measure(self, cells: TruthCells, limit: float) -> None:
        """Measure the terms of all untrained networks, then make all runs, until the seconds are used up."""
        end = monotonic() + limit
        for partial, step in ((self.looks, self._look), (self.runs, self._run)):
            missing = [arch for arch in cells.archs if arch not in partial.records]
            for arch in missing[:1]:
                step(arch)  # loads images and warms up kernels before the measurement
            for arch in missing:
                if monotonic() > end:
                    return
                started = process_time()
                found = step(arch)
                partial.add(arch, {**found, "seconds": process_time() - started})

    def of_authors(self, cells: TruthCells) -> dict[str, Values]:
        """Return the scores that need no runs of our own."""
        landscapes = cells.column("landscape_term_official")
        learning = self._learning(landscapes, cells)
        return {
            "authors": cells.column("mote_official"),
            "authors_plus": self._joint(learning, cells),
            "untrained": self._joint(np.full(len(learning), self.estimator.constants.learning.mean), cells),
            "params": cells.column("cifar10_params_m"),
            "madds": cells.column("cifar10_madds_m"),
        }

    def own(self, cells: TruthCells) -> dict[str, Values]:
        """Return the scores of our runs; cells whose training failed rank last."""
        runs = [self.runs.records[arch] for arch in cells.archs]
        scores = {name: np.array([run.get(name, math.nan) for run in runs]) for name in ("mote", "landscape", "tse")}
        return {**scores, "mote_plus": self._joint(self._learning(scores["landscape"], cells), cells)}

    def costs(self) -> list[Figure]:
        """Return CPU seconds of one thread per cell."""
        parts = {"untrained": self.looks.records, "mote": self.runs.records}
        seconds = {
            name: float(np.mean([record["seconds"] for record in records.values()]))
            for name, records in parts.items()
            if records
        }
        if len(seconds) == len(parts):
            seconds["mote_plus"] = sum(seconds.values())
        return [
            Figure(f"seconds.{name}", round(value, 4), "s", "lower", goal=THREAD_SECONDS_GOAL)
            for name, value in seconds.items()
        ]

    def _learning(self, landscapes: Values, cells: TruthCells) -> Values:
        """Return MOTE+'s first term, from losses and from T, which is counted without a run."""
        spec = reduced_spec(self.space, PROFILES[self.profile].max_side)

        def built(item: Architecture) -> Blueprint:
            return self.space.reduced_blueprint(item, spec, REDUCED_CHANNELS)

        mean = launches.mean_launches(self.space, built)
        blueprints = (built(self.space.from_string(arch)) for arch in cells.archs)
        pairs = zip(landscapes, blueprints, strict=True)
        return np.array([learning_term(value, CLASSES, launches.seconds(b, mean)) for value, b in pairs])

    def _joint(self, learning: Values, cells: TruthCells) -> Values:
        found = [self.looks.records[arch] for arch in cells.archs]
        looks = [Looks(record["excesses"], record["channels"]) for record in found]
        distinctness, richness = ([getattr(look, name) for look in looks] for name in ("distinctness", "richness"))
        return self.estimator.constants.score(learning, distinctness, richness)

    def _look(self, arch: str) -> dict[str, Any]:
        found = self.estimator.looks(self.space.from_string(arch), SEED)
        return {"excesses": found.excesses, "channels": found.channels}

    def _run(self, arch: str) -> dict[str, Any]:
        (found,) = self.estimator.mote.estimate_batch([self.space.from_string(arch)], seed=SEED)
        if found.score is None:
            return {"error": found.error}
        losses = found.curves.get("epoch_losses", ())
        tse = -sum(losses) if losses else -math.inf
        return {"mote": found.score, "landscape": found.terms["landscape"], "tse": tse}


def _figures(scores: Mapping[str, Values], cells: TruthCells, resamples: int) -> list[Figure]:
    figures = []
    for dataset in DATASETS if cells.archs else ():
        truth = cells.truth(dataset)
        authors = cells.column("mote_official")
        anchors = kendall(authors, truth), kendall(*best(authors, truth))
        for name, values in scores.items():
            whole = kendall_interval(values, truth, resamples=resamples)
            tenth = kendall_interval(*best(values, truth), resamples=resamples)
            goals = (GOALS[dataset], BEST_TENTH_GOAL) if name == "mote_plus" else (None, None)
            figures += _interval(f"tau.{dataset}.{name}", whole, goals[0], anchors[0])
            figures += _interval(f"tau_best_tenth.{dataset}.{name}", tenth, goals[1], anchors[1])
    return figures


def _interval(name: str, found: Interval, goal: float | None, anchor: float) -> list[Figure]:
    source = "the MOTE authors' values on the same cells"
    return [
        Figure(name, found.value, "1", "higher", goal=goal, anchor=anchor, anchor_source=source),
        Figure(f"{name}_low", found.low, "1", "higher"),
        Figure(f"{name}_high", found.high, "1", "higher"),
    ]
