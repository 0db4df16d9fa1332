"""All training-free proxies on NAS-Bench-201: their rank correlation with accuracy after full training, and their cost.

Networks are those of the benchmark with five cells per stage (one in a quick run), and batches have 32 images. Cells
that a proxy cannot score rank below all others. ``seconds`` are CPU seconds of one thread per cell.

``NASWEB_BENCH_SECONDS`` limits a run, which then reports on the cells measured so far; the next run continues there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from time import monotonic, process_time
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from engine.benchmarks.cells import DATASETS, TruthCells, reduced_data
from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import Figure, Report, shared_data
from engine.config.estimators import ProxyOptions
from engine.config.spaces import NasBench201Options
from engine.correlation import Values, kendall, spearman
from engine.estimators.proxy import ProxyEstimator
from engine.proxies import PROXIES
from engine.spaces.nasbench201 import NasBench201Space

CELLS, QUICK_CELLS = 120, 4
IMAGES = 32
SPEARMAN_SOURCE = (
    "Spearman over all cells, five cells a stage: arXiv 2101.08134, as tabled with both counts in arXiv 2209.07413"
)
PUBLISHED_SPEARMAN: Mapping[str, tuple[float, float, float]] = {
    "synflow": (0.74, 0.76, 0.75),
    "jacob_cov": (0.73, 0.71, 0.71),
    "madds": (0.75, 0.72, 0.69),
    "params": (0.75, 0.72, 0.69),
    "grad_norm": (0.58, 0.64, 0.58),
    "snip": (0.58, 0.63, 0.58),
    "grasp": (0.48, 0.54, 0.56),
    "fisher": (0.36, 0.39, 0.33),
}
AZ_NAS = ("expressivity", "progressivity", "trainability", "complexity")
AZ_NAS_PUBLISHED = (0.741, 0.723, 0.710)


def run(quick: bool) -> Report:
    """Report tau and rho of each proxy; earlier measurements are used again."""
    table = shared_data("nasbench201.parquet")
    images = shared_data("cifar100_rd10.zip")
    count = QUICK_CELLS if quick else CELLS
    settings: dict[str, Any] = {
        "cells": count,
        "cells_a_stage": 1 if quick else 5,
        "images": IMAGES,
        "data": images.stem,
        "seed": 0,
        "unscored": "rank last",
        "no_anchor": "no figure of the same measure could be looked up",
    }
    for path in (table, images):
        if not path.is_file():
            return Report(settings, skipped=f"no file at {path}; set NASWEB_SHARED_DATA to the folder with it")
    cells = TruthCells.read(table).reported(count)
    torch.set_num_threads(1)
    data = reduced_data(images)
    space = NasBench201Space(NasBench201Options(cells=settings["cells_a_stage"]), data.info.spec)
    estimators = {name: ProxyEstimator(_options(name), space, data) for name in PROXIES}
    partial = PartialResults("proxies", settings)
    missing = [arch for arch in cells.archs if arch not in partial.records]
    for arch in missing[:1]:
        _measure(space, estimators, arch)  # loads images and warms up kernels before the measurement
    end = monotonic() + float(os.environ.get("NASWEB_BENCH_SECONDS", "inf"))
    for arch in missing:
        if monotonic() > end:
            break
        partial.add(arch, _measure(space, estimators, arch))
    cells = cells.named(list(partial.records))
    settings["cells_measured"] = len(cells.archs)
    records = [partial.records[arch] for arch in cells.archs]
    scores = {
        name: np.array([-math.inf if record["scores"][name] is None else record["scores"][name] for record in records])
        for name in PROXIES
    }
    seconds = {name: float(np.mean([record["seconds"][name] for record in records])) for name in PROXIES}
    return Report(settings, [*_correlations(scores, cells), *_costs(seconds)])


def _options(name: str) -> ProxyOptions:
    return ProxyOptions.model_validate({"name": name, "images": IMAGES})


def _measure(
    space: NasBench201Space, estimators: Mapping[str, ProxyEstimator], arch: str
) -> dict[str, dict[str, float | None]]:
    scores: dict[str, float | None] = {}
    seconds: dict[str, float | None] = {}
    for name, estimator in estimators.items():
        started = process_time()
        scores[name] = estimator.estimate_batch([space.from_string(arch)], seed=0)[0].score
        seconds[name] = process_time() - started
    return {"scores": scores, "seconds": seconds}


def rank_product(scores: Sequence[Values]) -> Values:
    """Return AZ-NAS's aggregate in a population: the sum of the logarithms of the ranks, where the best has rank 1."""
    return np.asarray(sum(np.log(rankdata(values) / len(values)) for values in scores), dtype=np.float64)


def _correlations(scores: Mapping[str, Values], cells: TruthCells) -> list[Figure]:
    figures = []
    aggregate = rank_product([scores[name] for name in AZ_NAS])
    for number, dataset in enumerate(DATASETS):
        truth = cells.truth(dataset)
        for name, values in scores.items():
            figures.append(Figure(f"tau.{dataset}.{name}", kendall(values, truth), "1", "higher"))
        figures.append(
            Figure(
                f"tau.{dataset}.az_nas",
                kendall(aggregate, truth),
                "1",
                "higher",
                anchor=AZ_NAS_PUBLISHED[number],
                anchor_source="arXiv 2403.19232, all cells, five cells a stage",
            )
        )
        for name, published in PUBLISHED_SPEARMAN.items():
            rho = spearman(scores[name], truth)
            anchor = published[number]
            figures.append(
                Figure(f"rho.{dataset}.{name}", rho, "1", "higher", anchor=anchor, anchor_source=SPEARMAN_SOURCE)
            )
    return [figure for figure in figures if not math.isnan(figure.value)]


def _costs(seconds: Mapping[str, float]) -> list[Figure]:
    return [Figure(f"seconds.{name}", round(value, 4), "s", "lower") for name, value in seconds.items()]
