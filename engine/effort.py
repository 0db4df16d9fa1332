"""A rough forecast, from shapes alone, of how long an estimate trains a network, in seconds of one CPU core.

Small networks take their time per operator, large ones per multiply-add. One step of training takes

    `STEP` + `NODE` * nodes of the network + `MADD` * images of the batch * millions of multiply-adds

and looking at images without learning (validation, the slice of MOTE) takes `FORWARD` of that. MOTE updates all
weights as one vector, so its constant for each node, `MOTE_NODE`, is smaller. All four constants come from a least
squares fit of relative errors. The fit used MOTE's fast profile, on reduced and on full networks, and short trainings,
all on digits, in five spaces, with one thread of a Zen 4 core. A caller that knows how long a real run took scales the
forecast by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from statistics import fmean

from engine.config.estimators import EstimatorOptions, MoteOptions, ShortTrainingOptions
from engine.cost import blueprint_cost
from engine.dotted import load
from engine.errors import ArchitectureError
from engine.mote import SLICE_POINTS
from engine.reduction.architecture import reduced_spec
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS
from engine.registry import ESTIMATORS
from engine.space import SearchSpace

STEP = 3.0e-3
MADD = 8.5e-5
NODE = 1.4e-4
MOTE_NODE = 8.4e-5
FORWARD = 1 / 3
"""The seconds of a pass without gradients, divided by those of a training step."""
SAMPLES = 20
"""Random networks, always the same ones, that represent a space together with its default network."""
VALIDATION_BATCH = 512


@dataclass(frozen=True)
class Passes:
    """Numbers of batches and of images in them; a pass without gradients counts as `FORWARD` of a training step."""

    batches: float
    images: float

    def __add__(self, other: Passes) -> Passes:
        return Passes(self.batches + other.batches, self.images + other.images)

    def times(self, factor: float) -> Passes:
        """Return both numbers multiplied by the factor."""
        return Passes(self.batches * factor, self.images * factor)


@dataclass(frozen=True)
class Effort:
    """What one estimate of a network takes: the passes, and the seconds of a step for each node.

    If ``max_side`` is None, the network is the full one. Otherwise it is MOTE's reduced one, for images of at most this
    side in pixels.
    """

    passes: Passes
    node: float
    max_side: int | None = None


def seconds(options: EstimatorOptions, space: SearchSpace, train: int, valid: int) -> float | None:
    """Return the seconds that an average network of the space takes; None for an estimate that declares no effort.

    ``train`` and ``valid`` are the numbers of training and of validation images.
    """
    effort = ESTIMATORS[options.kind].effort
    if not effort:
        return None
    found: Effort = load(effort)(options, train, valid)
    nodes, madds = _shape(space, found.max_side)
    return found.passes.batches * (STEP + found.node * nodes) + found.passes.images * MADD * madds


def of_short_training(options: ShortTrainingOptions, train: int, valid: int) -> Effort:
    """Return the effort of all epochs, each with its validation."""
    training = Passes(max(train / options.batch_size, 1), train)
    validation = Passes(max(valid / VALIDATION_BATCH, 1), valid)
    return Effort((training + validation.times(FORWARD)).times(options.epochs), NODE)


def of_mote(options: MoteOptions, train: int, valid: int) -> Effort:
    """Return the effort of the training and of the slice."""
    profile = PROFILES[options.profile]
    passes = Passes(profile.steps, profile.steps * min(profile.batch_size, train))
    if options.landscape_mode == "fit":
        passes = passes.times(1 + SLICE_POINTS / profile.epochs)
    else:
        looked_at = SLICE_POINTS * min(profile.slice_images, train)
        passes += Passes(SLICE_POINTS, looked_at).times(FORWARD)
    return Effort(passes, MOTE_NODE, profile.max_side if options.network == "reduced" else None)


def _shape(space: SearchSpace, max_side: int | None) -> tuple[float, float]:
    """Return the mean number of nodes and the mean millions of multiply-adds of the space's networks."""
    spec = None if max_side is None else reduced_spec(space, max_side)
    rng = Random(0)
    found = []
    for item in [*(space.sample(rng) for _ in range(SAMPLES)), space.default()]:
        try:
            blueprint = space.blueprint(item) if spec is None else space.reduced_blueprint(item, spec, REDUCED_CHANNELS)
        except ArchitectureError:
            continue
        found.append((len(blueprint.nodes), blueprint_cost(blueprint).metric("madds_m")))
    nodes, madds = zip(*found, strict=True)
    return fmean(nodes), fmean(madds)
