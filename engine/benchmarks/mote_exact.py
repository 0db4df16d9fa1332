"""MOTE's formulas on the authors' own losses: the differences of our terms and joint score from theirs.

``tau.{ds}.{time model}`` is the rank correlation of the scores from those losses, with three kinds of T: the V100's
measured seconds, a constant, and the count of `engine.launches` (the default).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow.parquet as pq

from engine.benchmarks.cells import DATASETS
from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import InputSpec
from engine.config.spaces import NasBench201Options
from engine.correlation import kendall
from engine.launches import launches
from engine.mote import MEAN_SECONDS, PUBLISHED, landscape_term, speed_term
from engine.spaces.nasbench201 import NasBench201Space

COLUMNS = (
    "mote_official",
    "landscape_term_official",
    "speed_term_official",
    "mote_train_seconds_v100",
    "mote_epoch_losses",
    "mote_landscape_losses",
)
QUICK_CELLS = 500
GOALS = {"landscape": 1e-5, "speed": 1e-5, "mote": 1e-9}


@dataclass(frozen=True)
class Errors:
    """The largest absolute differences over ``cells`` cells.

    ``mote`` compares our joint score of the authors' terms with the authors' joint score.
    """

    cells: int
    landscape: float
    speed: float
    mote: float


def run(quick: bool) -> Report:
    """Report the largest differences; cells without the authors' values are left out."""
    path = shared_data("nasbench201.parquet")
    if not path.is_file():
        return Report({}, skipped=f"no table at {path}; set NASWEB_SHARED_DATA to the folder with it")
    errors = largest_errors(path, QUICK_CELLS if quick else None)
    figures = [
        Figure(f"max_abs_error.{name}", getattr(errors, name), "1", "lower", goal=goal) for name, goal in GOALS.items()
    ]
    return Report({"cells": errors.cells}, figures + _time_models(path, QUICK_CELLS if quick else None))


def _time_models(path: Path, cells: int | None) -> list[Figure]:
    columns = [*COLUMNS, "arch", *(f"{dataset}_test_acc_200" for dataset in DATASETS)]
    rows = pq.read_table(path, columns=columns).slice(0, cells).to_pylist()
    known = [row for row in rows if row["mote_official"] is not None and not np.isnan(row["mote_official"])]
    space = NasBench201Space(NasBench201Options(), InputSpec())
    built = [launches(space.reduced_blueprint(space.from_string(row["arch"]), space.spec, 32)) for row in known]
    times = {
        "v100_seconds": [row["mote_train_seconds_v100"] for row in known],
        "constant": [MEAN_SECONDS] * len(known),
        "launches": [MEAN_SECONDS * value / fmean(built) for value in built],
    }
    landscape = [landscape_term(row["mote_landscape_losses"]) for row in known]
    figures = []
    for name, seconds in times.items():
        speed = [speed_term(row["mote_epoch_losses"], time) for row, time in zip(known, seconds, strict=True)]
        scores = PUBLISHED["nasbench201"].mote(landscape, speed)
        for dataset in DATASETS:
            tau = kendall(scores, [row[f"{dataset}_test_acc_200"] for row in known])
            figures.append(Figure(f"tau.{dataset}.{name}", tau, "tau", "higher"))
    return figures


def largest_errors(path: Path, cells: int | None = None) -> Errors:
    """Compare the first ``cells`` rows of the table (all by default)."""
    rows = pq.read_table(path, columns=list(COLUMNS)).slice(0, cells).to_pylist()
    known = [row for row in rows if row["mote_official"] is not None and not np.isnan(row["mote_official"])]
    landscape = []
    speed = []
    for row in known:
        landscape.append(landscape_term(row["mote_landscape_losses"]) - row["landscape_term_official"])
        ours = speed_term(row["mote_epoch_losses"], row["mote_train_seconds_v100"])
        speed.append(ours - row["speed_term_official"])
    terms = np.array([[row["landscape_term_official"], row["speed_term_official"]] for row in known])
    joint = PUBLISHED["nasbench201"].mote(terms[:, 0], terms[:, 1]) - [row["mote_official"] for row in known]
    largest = [float(np.abs(errors).max()) for errors in (landscape, speed, joint)]
    return Errors(len(known), *largest)
