"""Training-free proxies as an estimate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from engine.blueprint import Blueprint
from engine.canonical import reaches_output
from engine.config.estimators import ProxyOptions
from engine.datasets.base import ImageData, Split, stratified_sample
from engine.dotted import load
from engine.errors import EstimateError
from engine.estimate import Estimate
from engine.estimators.base import TrainingEstimator, unknown_fidelity
from engine.estimators.proxies.probe import Probe
from engine.proxies import PROXIES, unmet
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop
from engine.training import ImageSet

REDUCED_SIDE = PROFILES["paper"].max_side
"""Side in pixels that larger images are averaged down to for the reduced network."""


class ProxyEstimator(TrainingEstimator):
    """One proxy of `engine.proxies` on the full network, or on MOTE's reduced one with images of at most 32 pixels.

    The batch is drawn evenly from every class of the training images and is the same for every network. A network
    whose output does not depend on the image, and a score that is not a number, become errors in words.
    """

    def __init__(self, options: ProxyOptions, space: SearchSpace, data: ImageData | None, table: object = None) -> None:
        super().__init__(options, space, data, table)
        self.options = options

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        train = self.data.load().train
        rows = stratified_sample(train.labels, self.options.images, seed=0)
        side = None if self.options.network == "full" else REDUCED_SIDE
        images = ImageSet.of(Split(train.images[rows], train.labels[rows]), self.device, side)
        return images.batch(torch.arange(len(images)))

    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        if fidelity != "default":
            raise unknown_fidelity(fidelity, "choose default")
        name = self.options.name
        blueprint = self._blueprint(item)
        if not reaches_output(blueprint):
            raise EstimateError("nothing of the image reaches the class scores: the proxy says nothing about it")
        if reason := unmet(name, blueprint):
            raise EstimateError(reason)
        score = evaluate(name, Probe(blueprint, *self._batch, seed, stop))
        images = len(self._batch[1])
        setup = {"network": f"the {self.options.network} one, untrained", "data": f"one batch of {images} images"}
        return Estimate(score, {name: score}, setup=setup)

    def _blueprint(self, item: Architecture) -> Blueprint:
        if self.options.network == "full":
            return self.space.blueprint(item)
        spec = self.space.spec
        height, width = min(spec.height, REDUCED_SIDE), min(spec.width, REDUCED_SIDE)
        return self.space.reduced_blueprint(item, replace(spec, height=height, width=width), REDUCED_CHANNELS)


def evaluate(name: str, probe: Probe) -> float:
    """Return the score of the proxy with this name; EstimateError if it is infinite or not a number."""
    compute: Callable[[Probe], float] = load(PROXIES[name].path)
    score = compute(probe)
    if not math.isfinite(score):
        raise EstimateError(f"{PROXIES[name].label} came out infinite or as no number for this network")
    return score
