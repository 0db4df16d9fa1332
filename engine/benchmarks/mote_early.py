"""A test of ending hopeless cells early, on the MOTE authors' loss curves on NAS-Bench-201, cut after some epochs.

A cell is ended after epoch n if its loss there is above a limit. The rest of its curve then stays at that loss, and its
slice is a straight line from the first epoch's loss to that loss. Limits are percentiles of the tuning cells' losses at
epoch n. Among all rules that lose at most `ALLOWED` tau on every data set of the tuning cells, the rule that saves most
is reported on other cells. Saved seconds are training seconds of the trained cells, without the slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.benchmarks.cells import DATASETS, TruthCells
from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import InputSpec
from engine.canonical import reaches_output
from engine.config.spaces import NasBench201Options
from engine.correlation import kendall
from engine.mote import constants_for, landscape_term, speed_term
from engine.reduction.profiles import REDUCED_CHANNELS
from engine.spaces.nasbench201 import NasBench201Space

EPOCHS = (2, 3, 5, 8, 10, 15, 20)
PERCENTILES = (50, 60, 70, 80, 85, 90, 95)
ALLOWED = 0.001
CELLS, QUICK_CELLS = 3_000, 300

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """The effect of a rule: share of cells ended, share of seconds saved, change of tau on each data set."""

    ended: float
    saved: float
    changes: list[float]


class Curves:
    """The authors' curves, slices and seconds of some cells."""

    def __init__(self, cells: TruthCells) -> None:
        space = NasBench201Space(NasBench201Options(), InputSpec())
        blueprints = (space.reduced_blueprint(space.from_string(a), space.spec, REDUCED_CHANNELS) for a in cells.archs)
        self.trained = np.array([reaches_output(blueprint) for blueprint in blueprints])
        self.losses: Floats = np.stack(list(cells.rows["mote_epoch_losses"])).astype(np.float64)
        self.slices: Floats = np.stack(list(cells.rows["mote_landscape_losses"])).astype(np.float64)
        self.seconds = cells.column("mote_train_seconds_v100")
        self.truths = [cells.truth(dataset) for dataset in DATASETS]
        self.whole = self._taus(self.losses, self.slices)

    def limit(self, epoch: int, percentile: float) -> float:
        """Return a percentile of the losses at an epoch (counted from 1)."""
        return float(np.percentile(self.losses[self.trained, epoch - 1], percentile))

    def cut(self, epoch: int, limit: float) -> Cut:
        """Return the effect of ending the cells whose loss at an epoch is above the limit."""
        stopped = self.trained & (self.losses[:, epoch - 1] > limit)
        losses = self.losses.copy()
        slices = self.slices.copy()
        first = losses[stopped, :1]
        last = losses[stopped, epoch - 1 : epoch]
        losses[stopped, epoch:] = last
        slices[stopped] = first + (last - first) * np.linspace(0, 1, slices.shape[1])
        saved = self.seconds[stopped].sum() * (1 - epoch / losses.shape[1]) / self.seconds[self.trained].sum()
        taus = self._taus(losses, slices)
        return Cut(float(stopped.mean()), float(saved), [new - old for new, old in zip(taus, self.whole, strict=True)])

    def _taus(self, losses: Floats, slices: Floats) -> list[float]:
        constants = constants_for("nasbench201")
        landscape = [landscape_term(row) for row in slices.tolist()]
        speed = [speed_term(row, seconds) for row, seconds in zip(losses.tolist(), self.seconds, strict=True)]
        scores = constants.mote(landscape, speed)
        return [kendall(scores, truth) for truth in self.truths]


def run(quick: bool) -> Report:
    """Report the rule chosen on the tuning cells, on these cells and on cells on which nothing was chosen."""
    path = shared_data("nasbench201.parquet")
    if not path.is_file():
        return Report({}, skipped=f"no table at {path}; set NASWEB_SHARED_DATA to the folder with it")
    cells = TruthCells.read(path)
    tuning = Curves(cells.tuned_on())
    others = Curves(cells.reported(QUICK_CELLS if quick else CELLS))
    rules = [(epoch, tuning.limit(epoch, percentile)) for epoch in EPOCHS for percentile in PERCENTILES]
    cuts = [(tuning.cut(*rule), rule) for rule in rules]
    chosen, rule = max(
        ((cut, rule) for cut, rule in cuts if min(cut.changes) >= -ALLOWED), key=lambda found: found[0].saved
    )
    settings = {
        "rules": len(rules),
        "allowed": ALLOWED,
        "epoch": rule[0],
        "limit": rule[1],
        "cells": len(others.trained),
    }
    figures: list[Figure] = []
    for name, cut in (("tuning", chosen), ("others", others.cut(*rule))):
        figures += [
            Figure(f"ended.{name}", cut.ended, "1", "higher"),
            Figure(f"seconds_saved.{name}", cut.saved, "1", "higher", goal=0.05 if name == "others" else None),
        ]
        for dataset, change in zip(DATASETS, cut.changes, strict=True):
            figures.append(Figure(f"tau_change.{name}.{dataset}", change, "tau", "higher", goal=0.0))
    return Report(settings, figures)
