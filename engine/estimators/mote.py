"""MOTE: a reduced architecture trained on reduced data, scored by its loss landscape and its speed of convergence.

Reduced data are the images of a few distinct labels, or some images of every label (`engine.reduction`). The slice's
losses are taken on some of them. ``evaluate`` takes the loss at each point of the slice, as the paper says, and is the
default because it needs no further training. ``fit`` trains an epoch from each point and takes its mean loss, as the
authors' code does.

Networks are trained in their canonical form (`engine.canonical`): networks with the same form share one training, which
a process does once and remembers. They differ in T alone, which counts what is built (`engine.launches`). A network
whose output does not depend on the image is not trained. It gets the largest loss that `engine.mote` knows, so that it
ranks below every network that can learn.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from engine import launches
from engine.blueprint import Blueprint, InputSpec
from engine.canonical import canonical, reaches_output, structure
from engine.config.estimators import MoteOptions
from engine.cost import blueprint_cost
from engine.datasets.base import ImageData, stratified_sample
from engine.estimate import Estimate
from engine.estimators.base import TrainingEstimator, unknown_fidelity
from engine.estimators.mote_run import Run
from engine.mote import LOSS_CEILING, MEAN_SECONDS, SLICE_POINTS, constants_for, landscape_term, speed_term
from engine.reduction.architecture import full_blueprint, reduced_spec
from engine.reduction.choice import reduction_for
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS, Profile
from engine.reduction.reduced import reduced_split
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop
from engine.training import ImageSet

REMEMBERED = 10_000
"""Number of trainings that a process remembers; each takes a few kilobytes."""


@dataclass(frozen=True)
class Trained:
    """The result of a training: mean losses of its epochs, losses along its slice, and wall seconds."""

    epoch_losses: list[float]
    slice_losses: list[float]
    seconds: float


class MoteEstimator(TrainingEstimator):
    """Scores by MOTE; ``fidelity`` is ``default`` (the profile in the options) or the name of a profile."""

    def __init__(self, options: MoteOptions, space: SearchSpace, data: ImageData | None, table: object = None) -> None:
        super().__init__(options, space, data, table)
        self.options = options
        self.constants = constants_for(space.kind)
        info = self.data.info
        self.reduction = reduction_for(options, info.class_names, info.train_count)
        self._prepared: dict[Profile, tuple[InputSpec, ImageSet, ImageSet, float]] = {}
        self._trained: OrderedDict[Any, Trained] = OrderedDict()

    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        name = self.options.profile if fidelity == "default" else fidelity
        if name not in PROFILES:
            raise unknown_fidelity(fidelity, f"choose default or one of {', '.join(PROFILES)}")
        profile = PROFILES[name]
        spec, data, points, mean = self._prepare(profile, stop)
        blueprint = self._network(item, spec)
        setup = self._setup(blueprint, profile, data, points)
        if not reaches_output(blueprint):
            lost = Trained([LOSS_CEILING] * profile.epochs, [LOSS_CEILING] * SLICE_POINTS, 0.0)
            return replace(self._estimate_of(lost, MEAN_SECONDS, connected=False), setup=setup)
        trained = self._train(canonical(blueprint), profile, data, points, seed, stop)
        wall = self.options.time_model == "wall"
        seconds = trained.seconds if wall else launches.seconds(blueprint, mean)
        return replace(self._estimate_of(trained, seconds, connected=True), setup=setup)

    def _network(self, item: Architecture, spec: InputSpec) -> Blueprint:
        if self.options.network == "full":
            return full_blueprint(self.space, item, spec.classes)
        return self.space.reduced_blueprint(item, spec, REDUCED_CHANNELS)

    def _in_words(self, image: InputSpec) -> str:
        return "" if self.options.network == "full" else self.space.reduced_in_words(image, REDUCED_CHANNELS)

    def _setup(self, blueprint: Blueprint, profile: Profile, data: ImageSet, points: ImageSet) -> dict[str, str]:
        """Return what the score comes from, in words: network, data, training and slice."""
        cost = blueprint_cost(blueprint)
        image = blueprint.input
        size = f"{image.channels}x{image.height}x{image.width}"
        landscape = "an epoch trained from each" if self.options.landscape_mode == "fit" else f"{len(points)} images"
        return {
            f"{self.options.network} network": (
                f"{cost.metric('params_m'):.4g} M parameters and {cost.metric('madds_m'):.4g} M multiply-adds "
                f"for {size} images. {self._in_words(image)}"
            ),
            "reduced data": f"{len(data):,} images: {self.reduction.why}",
            "training": f"{profile.steps} steps of {profile.batch_size} images, Adam at {profile.learning_rate:g}",
            "slice": f"{SLICE_POINTS} points, {landscape}",
        }

    def _train(
        self, blueprint: Blueprint, profile: Profile, data: ImageSet, points: ImageSet, seed: int, stop: Stop
    ) -> Trained:
        key = structure(blueprint), profile, seed
        trained = self._trained.pop(key, None)
        if trained is None:
            run = Run(blueprint, profile, data, points, seed, stop)
            epoch_losses, seconds = run.train()
            trained = Trained(epoch_losses, run.slice(fit=self.options.landscape_mode == "fit"), seconds)
        self._trained[key] = trained
        while len(self._trained) > REMEMBERED:
            self._trained.popitem(last=False)
        return trained

    def _prepare(self, profile: Profile, stop: Stop) -> tuple[InputSpec, ImageSet, ImageSet, float]:
        """Return the reduced images' spec, the reduced data, the slice's images, and the space's mean launches."""
        if profile not in self._prepared:
            split, classes = reduced_split(self.data, self.reduction, self.device, stop)
            full = self.options.network == "full"
            spec = self.space.spec if full else reduced_spec(self.space, profile.max_side)
            spec = replace(spec, classes=classes)
            reduced = ImageSet.of(split, self.device, max(spec.height, spec.width))
            rows = torch.from_numpy(stratified_sample(split.labels, profile.slice_images, seed=1))
            rows = rows.to(self.device)
            points = ImageSet(reduced.images[rows], reduced.labels[rows])
            mean = launches.mean_launches(self.space, partial(self._network, spec=spec))
            self._prepared[profile] = spec, reduced, points, mean
        return self._prepared[profile]

    def _estimate_of(self, trained: Trained, seconds: float, *, connected: bool) -> Estimate:
        landscape = landscape_term(trained.slice_losses)
        speed = speed_term(trained.epoch_losses, seconds)
        score = float(self.constants.mote(landscape, speed))
        terms = {
            "landscape": landscape,
            "speed": speed,
            "mote": score,
            "time_seconds": seconds,
            "train_seconds": trained.seconds,
            "connected": float(connected),
        }
        curves = {"epoch_losses": trained.epoch_losses, "landscape_losses": trained.slice_losses} if connected else {}
        return Estimate(score, terms, curves)
