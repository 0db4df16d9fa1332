"""MOTE+ as an estimate: a MOTE run, and three looks at the untrained network (`engine.mote_plus`).

A look takes the input gradients and one forward pass of `engine.space.SearchSpace.probe_blueprint` with 32 training
images, each time at another initialisation. If the output does not depend on the image, or the images cannot be
distinguished, these terms get their least values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.canonical import reaches_output
from engine.config.estimators import MoteOptions, MotePlusOptions
from engine.datasets.base import ImageData, Split, stratified_sample
from engine.errors import EstimateError
from engine.estimate import Estimate
from engine.estimators.base import TrainingEstimator
from engine.estimators.mote import MoteEstimator
from engine.estimators.proxies.meco import meco
from engine.estimators.proxies.probe import Probe
from engine.estimators.proxies.regions import jacob_cov
from engine.mote_plus import (
    EXCESS_CEILING,
    MotePlusConstants,
    constants_for,
    distinctness_term,
    learning_term,
    richness_term,
)
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop, never
from engine.training import ImageSet

IMAGES = 32
LOOKS = 3
SEED_STEP = 1_000_003


@dataclass(frozen=True)
class Looks:
    """What was measured of the untrained network, one number for each initialisation."""

    excesses: list[float]
    channels: list[float]

    @property
    def distinctness(self) -> float:
        """The term ``distinctness`` of the joint score."""
        return distinctness_term(self.excesses)

    @property
    def richness(self) -> float:
        """The term ``richness`` of the joint score."""
        return richness_term(self.channels)


class MotePlusEstimator(TrainingEstimator):
    """Scores by MOTE+. Fidelities, curves and terms are those of MOTE, with the three terms of the joint added.

    With the profile ``untrained`` nothing is trained: the first term is a constant, the population's mean. A fidelity
    that names a profile of MOTE trains nevertheless.
    """

    def __init__(
        self, options: MotePlusOptions, space: SearchSpace, data: ImageData | None, table: object = None
    ) -> None:
        super().__init__(options, space, data, table)
        self.constants: MotePlusConstants = constants_for(space.kind)
        self.options = options
        profile = "fast" if options.profile == "untrained" else options.profile
        self.mote = MoteEstimator(MoteOptions(profile=profile, seed=options.seed), space, data, table)

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        train = self.data.load().train
        rows = stratified_sample(train.labels, IMAGES, seed=2)
        images = ImageSet.of(Split(train.images[rows], train.labels[rows]), self.device)
        return images.batch(torch.arange(len(images)))

    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        if self.options.profile == "untrained" and fidelity == "default":
            return self._joined(self.constants.learning.mean, self.looks(item, seed, stop), Estimate(0.0))
        (run,) = self.mote.estimate_batch([item], seed=seed, fidelity=fidelity, stop=stop)
        if run.score is None:
            return run
        learning = learning_term(run.terms["landscape"], self.space.spec.classes, run.terms["time_seconds"])
        return self._joined(learning, self.looks(item, seed, stop), run)

    def _joined(self, learning: float, looks: Looks, run: Estimate) -> Estimate:
        score = float(self.constants.score(learning, looks.distinctness, looks.richness))
        terms = {"mote_plus": score, "distinctness": looks.distinctness, "richness": looks.richness}
        if run.terms:
            terms["learning"] = learning
        seen = f"{IMAGES} training images at {LOOKS} initialisations, untrained"
        return Estimate(score, {**run.terms, **terms}, run.curves, setup={**run.setup, "looks": seen})

    def looks(self, item: Architecture, seed: int, stop: Stop = never) -> Looks:
        """Return what the untrained network shows at `LOOKS` initialisations; nothing is trained."""
        blueprint = self.space.probe_blueprint(item)
        images, labels = self._batch
        if not reaches_output(blueprint):
            return Looks([EXCESS_CEILING], [0.0])
        looks = Looks([], [])
        for number in range(LOOKS):
            probe = Probe(blueprint, images, labels, seed + number * SEED_STEP, stop)
            probe.check()
            looks.excesses.append(_excess(probe))
            looks.channels.append(meco(probe))
        return looks


def _excess(probe: Probe) -> float:
    try:
        return -jacob_cov(probe) / len(probe.images) - 1
    except EstimateError:
        return EXCESS_CEILING
