"""Roughly how long an estimate trains a network, before any is trained: seconds of one CPU core, from shapes alone.

Small networks take their time per operator, large ones per multiply-add; a step of training of a network with so many
nodes on a batch takes

    `STEP` + a constant * nodes + `MADD` * images * millions of multiply-adds

and looking at images without learning (validation, the slice of MOTE) a third of that. The constant a node is smaller
for MOTE, which steps all weights as one. All four are a least squares fit of relative errors to MOTE's fast profile, on
reduced and on full networks, and to short trainings, on digits, in five spaces, with one thread of a Zen 4 core. A
caller that knows how long a run took scales by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

from engine.config.estimators import EstimatorOptions, MoteOptions, ShortTrainingOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.mote import SLICE_POINTS
from engine.reduction.architecture import REDUCED_CHANNELS, SIDES, reduced_spec
from engine.space import SearchSpace

STEP, MADD = 3.0e-3, 8.5e-5
NODE, MOTE_NODE = 1.4e-4, 8.4e-5
FORWARD = 1 / 3
"""Of a step of training, what a pass without gradients takes."""
SAMPLES = 20
"""Random networks, the same ones every time, whose mean with the default one's speaks for a space."""


@dataclass(frozen=True)
class Passes:
    """So many batches of so many images together, passes without gradients counted as `FORWARD`."""

    batches: float
    images: float

    def __add__(self, other: Passes) -> Passes:
        return Passes(self.batches + other.batches, self.images + other.images)

    def times(self, factor: float) -> Passes:
        """So many times as much."""
        return Passes(self.batches * factor, self.images * factor)


MOTE_PROFILES = {
    "fast": (Passes(100, 3_200), 10, 256),
    "paper": (Passes(250, 256_000), 50, 512),
}
"""Of MOTE's profiles the training, its epochs, and the images of the slice, as in `engine.estimators.mote_run`."""
VALIDATION_BATCH = 512


def seconds(options: EstimatorOptions, space: SearchSpace, train: int, valid: int) -> float | None:
    """Of a random network of the space, with so many images; None for an estimate that trains otherwise."""
    passes = _passes(options, train, valid)
    if passes is None:
        return None
    mote = options if isinstance(options, MoteOptions) else None
    nodes, madds = _shape(space, mote.profile if mote and mote.network == "reduced" else None)
    node = MOTE_NODE if mote else NODE
    return passes.batches * (STEP + node * nodes) + passes.images * MADD * madds


def _passes(options: EstimatorOptions, train: int, valid: int) -> Passes | None:
    if isinstance(options, ShortTrainingOptions):
        training = Passes(max(train / options.batch_size, 1), train)
        validation = Passes(max(valid / VALIDATION_BATCH, 1), valid)
        return (training + validation.times(FORWARD)).times(options.epochs)
    if isinstance(options, MoteOptions):
        training, epochs, points = MOTE_PROFILES[options.profile]
        training = replace(training, images=min(training.images, training.batches * train))
        if options.landscape_mode == "fit":
            return training.times(1 + SLICE_POINTS / epochs)
        return training + Passes(SLICE_POINTS, SLICE_POINTS * min(points, train)).times(FORWARD)
    return None


def _shape(space: SearchSpace, reduced: str | None) -> tuple[float, float]:
    """Mean number of nodes, and millions of multiply-adds, of networks; of those ``reduced`` for a profile of MOTE."""
    spec = reduced_spec(space, SIDES[reduced]) if reduced else space.spec
    rng, found = Random(0), []
    for item in [*(space.sample(rng) for _ in range(SAMPLES)), space.default()]:
        try:
            blueprint = space.reduced_blueprint(item, spec, REDUCED_CHANNELS) if reduced else space.blueprint(item)
        except ArchitectureError:
            continue
        found.append((len(blueprint.nodes), blueprint_cost(blueprint).metric("madds_m")))
    nodes, madds = zip(*found, strict=True)
    return fmean(nodes), fmean(madds)
