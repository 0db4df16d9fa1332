"""MOTE: a reduced architecture trained on reduced data, scored by its loss landscape and its speed of convergence.

Reduced data (RD-RS) are at most 5,000 training images, drawn evenly from every class; the slice's losses are taken on
512 of them. ``evaluate`` reads the loss at each point of the slice, as the paper says, and is the default because it
needs no further training; ``fit`` trains an epoch from each point and takes its mean loss, as the authors' code does.

A network that nothing of the image reaches is not trained: it counts as one of the largest loss `engine.mote` knows, so
that it ranks below every network that can learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import torch
from torch import Tensor

from engine.blueprint import Blueprint
from engine.config.estimators import MoteOptions
from engine.datasets.base import ImageData, Split, stratified_sample
from engine.estimate import Estimate, Stop
from engine.estimators.base import TrainingEstimator, reaches_output, unknown_fidelity
from engine.mote import LOSS_CEILING, MEAN_SECONDS, SLICE_POINTS, constants_for, landscape_term, speed_term
from engine.networks.build import build
from engine.space import Architecture, SearchSpace
from engine.training import ImageSet, batch_rows, batch_statistics_loss, deterministic, place, train

REDUCED_IMAGES = 5_000
SLICE_IMAGES = 512
REDUCED_CHANNELS = 32
LABEL_SMOOTHING = 0.01


@dataclass(frozen=True)
class Profile:
    """How thorough a run is; an "epoch" is ``steps / epochs`` steps, so that curves of all data have one length."""

    max_side: int
    batch_size: int
    steps: int
    epochs: int
    learning_rate: float = 1e-3
    batch_norm_momentum: float = 0.003
    batch_norm_eps: float = 1e-4


PROFILES: Mapping[str, Profile] = {
    "fast": Profile(max_side=16, batch_size=32, steps=100, epochs=10),
    "published": Profile(max_side=32, batch_size=1024, steps=250, epochs=50),
}


class MoteEstimator(TrainingEstimator):
    """Scores by MOTE; ``fidelity`` is ``default`` (the options' profile) or a profile's name."""

    def __init__(self, options: MoteOptions, space: SearchSpace, data: ImageData | None, table: object = None) -> None:
        super().__init__(options, space, data, table)
        self.options = options
        self.constants = constants_for(space.kind)
        self._prepared: dict[int, tuple[ImageSet, ImageSet]] = {}

    @cached_property
    def _reduced(self) -> Split:
        train_split = self.data.load().train
        rows = stratified_sample(train_split.labels, REDUCED_IMAGES, seed=0)
        return Split(train_split.images[rows], train_split.labels[rows])

    def _sets(self, profile: Profile) -> tuple[ImageSet, ImageSet]:
        """Reduced data, and the slice's images among them, on the device at the profile's size."""
        if profile.max_side not in self._prepared:
            reduced = ImageSet.of(self._reduced, self.device, profile.max_side)
            rows = torch.from_numpy(stratified_sample(self._reduced.labels, SLICE_IMAGES, seed=1)).to(self.device)
            self._prepared[profile.max_side] = reduced, ImageSet(reduced.images[rows], reduced.labels[rows])
        return self._prepared[profile.max_side]

    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        name = self.options.profile if fidelity == "default" else fidelity
        if name not in PROFILES:
            raise unknown_fidelity(fidelity, f"choose default or one of {', '.join(PROFILES)}")
        profile = PROFILES[name]
        blueprint = self._reduced_blueprint(item, profile)
        if not reaches_output(blueprint):
            return self._estimate_of(
                [LOSS_CEILING] * profile.epochs, [LOSS_CEILING] * SLICE_POINTS, 0.0, connected=False
            )
        run = _Run(blueprint, profile, *self._sets(profile), seed, stop)
        epoch_losses, seconds = run.train()
        slice_losses = run.slice(fit=self.options.landscape_mode == "fit")
        return self._estimate_of(epoch_losses, slice_losses, seconds, connected=True)

    def _reduced_blueprint(self, item: Architecture, profile: Profile) -> Blueprint:
        spec = self.space.spec
        height, width = min(spec.height, profile.max_side), min(spec.width, profile.max_side)
        return self.space.reduced_blueprint(item, replace(spec, height=height, width=width), REDUCED_CHANNELS)

    def _estimate_of(
        self, epoch_losses: list[float], slice_losses: list[float], train_seconds: float, *, connected: bool
    ) -> Estimate:
        seconds = train_seconds if self.options.time_model == "wall" and connected else MEAN_SECONDS
        landscape, speed = landscape_term(slice_losses), speed_term(epoch_losses, seconds)
        score = float(self.constants.mote(landscape, speed))
        terms = {
            "landscape": landscape,
            "speed": speed,
            "mote": score,
            "time_seconds": seconds,
            "train_seconds": train_seconds,
            "connected": float(connected),
        }
        curves = {"epoch_losses": epoch_losses, "landscape_losses": slice_losses} if connected else {}
        return Estimate(score, terms, curves)


class _Run:
    """One network's training and slice."""

    def __init__(
        self, blueprint: Blueprint, profile: Profile, data: ImageSet, points: ImageSet, seed: int, stop: Stop
    ) -> None:
        self.profile, self.data, self.seed, self.stop = profile, data, seed, stop
        network = build(
            blueprint,
            seed=seed,
            batch_norm_momentum=profile.batch_norm_momentum,
            batch_norm_eps=profile.batch_norm_eps,
            initialisation="glorot",
        )
        self.network = place(network, data.device)
        self.weights = list(self.network.parameters())
        self.inputs, self.labels = points.batch(torch.arange(len(points)))

    def train(self) -> tuple[list[float], float]:
        """Mean losses of the epochs, and wall seconds; keeps the weights before and after."""
        self.initial = self._copy()
        started = perf_counter()
        losses = self._fit(self.profile.steps, self.seed)
        if self.data.device.type == "cuda":
            torch.cuda.synchronize(self.data.device)
        seconds = perf_counter() - started
        self.trained = self._copy()
        return _windows(losses, self.profile.epochs), seconds

    def slice(self, *, fit: bool) -> list[float]:
        """Losses at the points from initial to trained weights; with ``fit`` the mean loss of an epoch from each."""
        losses = []
        for point in range(SLICE_POINTS):
            self._move(point / (SLICE_POINTS - 1))
            if fit:
                epoch = self._fit(self.profile.steps // self.profile.epochs, self.seed)
                losses.append(sum(epoch) / len(epoch))
            else:
                losses.append(batch_statistics_loss(self.network, self.inputs, self.labels, LABEL_SMOOTHING))
        return losses

    def _fit(self, steps: int, seed: int) -> list[float]:
        optimizer = torch.optim.Adam(self.network.parameters(), lr=self.profile.learning_rate, fused=True)
        batches = batch_rows(len(self.data), self.profile.batch_size, steps, seed)
        with deterministic(seed, self.data.device):
            return train(self.network, self.data, batches, optimizer, label_smoothing=LABEL_SMOOTHING, stop=self.stop)

    def _copy(self) -> list[Tensor]:
        return [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def _move(self, share: float) -> None:
        """Sets the weights ``share`` of the way from initial to trained."""
        for weight, initial, trained in zip(self.weights, self.initial, self.trained, strict=True):
            weight.copy_(torch.lerp(initial, trained, share))


def _windows(losses: list[float], count: int) -> list[float]:
    """Means of ``count`` equal windows."""
    size = len(losses) // count
    return [sum(losses[start : start + size]) / size for start in range(0, size * count, size)]
