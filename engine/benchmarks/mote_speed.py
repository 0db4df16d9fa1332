"""Speed and ranking of MOTE's `fast` profile on NAS-Bench-201's cells, and the cost of the published setting.

Cells are a fixed random sample on which no setting was chosen; the reduced data are the authors'. Seconds per
architecture are CPU seconds of one thread divided by the number of parallel processes, one per core, so other load on
the machine changes them little. The published setting (250,000 images of 32x32 per architecture) takes minutes per
cell. So only a few of its 250 steps are timed, on cells at even quantiles of the sample's multiply-adds, and the time
is extrapolated; the slice is left out.

``NASWEB_BENCH_SECONDS`` limits a run, which then reports on the cells measured so far; the next run continues there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from time import monotonic, perf_counter, process_time
from typing import Any

import torch

from engine.benchmarks.cells import DATASETS, TUNING_CELLS, TruthCells, reduced_data
from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import Blueprint
from engine.canonical import canonical, reaches_output
from engine.config.estimators import MoteOptions
from engine.config.spaces import NasBench201Options
from engine.correlation import kendall
from engine.cost import blueprint_cost
from engine.datasets.base import ImageData
from engine.estimators.mote import MoteEstimator
from engine.estimators.mote_run import Run
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS
from engine.spaces.nasbench201 import NasBench201Space
from engine.stopping import never
from engine.training import ImageSet, best_device

CELLS, QUICK_CELLS = 300, 3
REPEATED = 5
PAPER_TIMED, QUICK_PAPER_TIMED = (3, 2), (1, 1)
"""The number of cells on which the published setting is timed, and the number of steps on each."""
GOAL_SECONDS = 1.0
GOAL_RATIO = 500.0
AUTHORS_SECONDS = 7.53
SEED = 0


def run(quick: bool) -> Report:
    """Report seconds and taus, and the cost of the published setting; earlier measurements are used again."""
    table = shared_data("nasbench201.parquet")
    images = shared_data("cifar100_rd10.zip")
    options = MoteOptions()
    cores = 1 if quick else min(2, os.cpu_count() or 1)
    sample = QUICK_CELLS if quick else CELLS
    paper_cells, paper_steps = QUICK_PAPER_TIMED if quick else PAPER_TIMED
    settings: dict[str, Any] = {
        "cells": sample,
        "after_tuning_cells": TUNING_CELLS,
        "seed": SEED,
        "processes": cores,
        "estimator": {**options.model_dump(), "recipe": options.recipe},
        "profile": asdict(PROFILES[options.profile]),
        "data": images.stem,
        "paper_extrapolated": f"{paper_steps} of 250 steps of 1024 images on {paper_cells} cells, slice left out",
    }
    for path in (table, images):
        if not path.is_file():
            return Report(settings, skipped=f"no file at {path}; set NASWEB_SHARED_DATA to the folder with it")
    cells = TruthCells.read(table).reported(sample)
    kept = PartialResults("mote-speed", {**settings, "cells": 0, "torch": torch.__version__})
    reduced_data(images).load()  # decode once, before the processes need it
    end = monotonic() + float(os.environ.get("NASWEB_BENCH_SECONDS", "inf"))
    _measure(kept, cells.archs, images, cores, end)
    known = cells.named([arch for arch in cells.archs if arch in kept.records])
    settings["cells_scored"] = len(known.archs)
    if len(known.archs) < QUICK_CELLS:
        return Report(settings)
    paper = _paper(kept, known.archs, images, paper_cells, paper_steps) / cores
    return Report(settings, _figures(kept, known, images, cores, paper))


# --- the fast profile, one process per core --------------------------------------------------------------------------
_estimator: MoteEstimator | None = None


def score(images: Path, arch: str) -> dict[str, float]:
    """Return the score, CPU seconds and wall seconds of one cell in this process; loading the data is not timed."""
    global _estimator
    if _estimator is None:
        torch.set_num_threads(1)
        _estimator = estimator_on(reduced_data(images))
        _estimator.estimate_batch([_estimator.space.default()], seed=SEED)
    item = _estimator.space.from_string(arch)
    cpu, wall = process_time(), perf_counter()
    (estimate,) = _estimator.estimate_batch([item], seed=SEED)
    assert estimate.score is not None, estimate.error
    return {"score": estimate.score, "cpu_seconds": process_time() - cpu, "wall_seconds": perf_counter() - wall}


def estimator_on(data: ImageData) -> MoteEstimator:
    """Return MOTE with default options, for the benchmark's cells."""
    return MoteEstimator(MoteOptions(), NasBench201Space(NasBench201Options(), data.info.spec), data)


def _measure(kept: PartialResults, archs: Sequence[str], images: Path, cores: int, end: float) -> None:
    for arch, record in _scored([arch for arch in archs if arch not in kept.records], images, cores, end):
        kept.add(arch, record)


def _scored(
    archs: Sequence[str], images: Path, cores: int, end: float = float("inf")
) -> Iterable[tuple[str, dict[str, float]]]:
    """Yield cells with their records in the order of completion, from ``cores`` new processes.

    No cell is begun after ``end``.
    """
    if not archs:
        return
    left = iter(archs)
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(score, images, arch): arch for arch in islice(left, cores)}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
                if monotonic() < end and (arch := next(left, None)) is not None:
                    running[pool.submit(score, images, arch)] = arch


# --- the published setting -------------------------------------------------------------------------------------------
def paper_seconds(blueprint: Blueprint, data: ImageSet, steps: int) -> float:
    """Return CPU seconds of one thread for the published 250 steps, extrapolated from ``steps`` after one warm-up."""
    profile = PROFILES["paper"]
    seconds = 0.0
    unused = ImageSet(data.images[:1], data.labels[:1])
    for timed in (1, steps):
        shortened = replace(profile, steps=timed, epochs=1)
        run = Run(blueprint, shortened, data, unused, SEED, never)
        start = process_time()
        run.train()
        seconds = process_time() - start
    return seconds / steps * profile.steps


def _paper(kept: PartialResults, archs: Sequence[str], images: Path, cells: int, steps: int) -> float:
    """Return the mean of `paper_seconds` over cells at even quantiles of the sample's multiply-adds."""
    torch.set_num_threads(1)
    data = reduced_data(images)
    space = NasBench201Space(NasBench201Options(), data.info.spec)
    found = (space.reduced_blueprint(space.from_string(arch), space.spec, REDUCED_CHANNELS) for arch in archs)
    trained = sorted((canonical(b) for b in found if reaches_output(b)), key=lambda b: blueprint_cost(b).madds)
    pixels = ImageSet.of(data.load().train, best_device())
    for part in range(cells):
        if f"paper {part}" not in kept.records:
            middle = trained[int((part + 0.5) / cells * len(trained))]
            kept.add(f"paper {part}", {"cpu_seconds": paper_seconds(middle, pixels, steps)})
    return fmean(kept.records[f"paper {part}"]["cpu_seconds"] for part in range(cells))


def _figures(kept: PartialResults, cells: TruthCells, images: Path, cores: int, paper: float) -> list[Figure]:
    records = [kept.records[arch] for arch in cells.archs]
    scores = [record["score"] for record in records]
    fast = fmean(record["cpu_seconds"] for record in records) / cores
    wall = fmean(record["wall_seconds"] for record in records) / cores
    again = dict(_scored(cells.archs[:REPEATED], images, 1))
    difference = max(abs(again[arch]["score"] - kept.records[arch]["score"]) for arch in again)
    figures = [
        Figure(
            "seconds_per_architecture.fast", fast, "s", "lower", goal=GOAL_SECONDS,
            anchor=AUTHORS_SECONDS, anchor_source="MOTE authors, V100",
        ),
        Figure("wall_seconds_per_architecture.fast", wall, "s", "lower"),
        Figure("seconds_per_architecture.paper_extrapolated", paper, "s", "lower"),
        Figure("throughput_ratio", paper / fast, "1", "higher", goal=GOAL_RATIO),
    ]  # fmt: skip
    for dataset in DATASETS:
        truth = cells.truth(dataset)
        authors = kendall(cells.column("mote_official"), truth)
        source = "MOTE authors' values, same cells"
        figures += [
            Figure(
                f"tau.{dataset}.fast", kendall(scores, truth), "tau", "higher",
                goal=authors, anchor=authors, anchor_source=source,
            ),
            Figure(f"tau.{dataset}.authors", authors, "tau", "higher"),
        ]  # fmt: skip
    return [*figures, Figure("repeat_max_abs_difference", difference, "1", "lower", goal=0.0)]
