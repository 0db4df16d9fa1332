"""Full training of one network, step by step, with checkpoints from which it continues with the same result.

The order of images, augmentation and dropout are drawn from the seed, the epoch and the step, and the learning rate is
a function of the step. So a checkpoint needs no generator's state, and a training that was stopped at any step gives
the same weights as one that was not. Validation images choose the epoch whose weights are kept. Test images are used
only once, with those weights, after the last epoch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.blueprint import Blueprint
from engine.config.training import Recipe, TrainingConfig
from engine.datasets.base import ImageData
from engine.errors import DataError, Stopped
from engine.full_training.augment import augmented
from engine.full_training.precision import Precision
from engine.full_training.sources import ImageSource, sources_of
from engine.networks.build import build
from engine.stopping import Stop, never
from engine.training import (
    best_device,
    deterministic,
    device_name,
    finite,
    place,
    renew_statistics,
    statistics_rows,
    steps_per_epoch,
)

LAST, BEST = "last.pt", "weights.pt"
SAVE_SECONDS = 60.0
"""Seconds between two checkpoints within an epoch, so a worker that dies loses at most this much work."""
FINITE_EVERY = 10
SHORT_EPOCH = 100
"""Number of steps. After an epoch with fewer steps, batch norm's running statistics lag behind and are recomputed."""
EVALUATED = 512
"""Number of images per forward pass when accuracies are measured."""


@dataclass
class TrainingProgress:
    """The progress of a training; ``seconds`` is the sum over all its runs.

    ``epoch`` epochs are complete, and ``step`` of the ``steps`` steps of the next epoch. ``train_losses`` and
    ``valid_accuracies`` (percent) have one entry per epoch. ``best_epoch`` counts from 1.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 1
    train_losses: list[float] = field(default_factory=list)
    valid_accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int = 0

    @property
    def valid_accuracy(self) -> float | None:
        """The validation accuracy of the best epoch so far, in percent."""
        return self.valid_accuracies[self.best_epoch - 1] if self.best_epoch else None


@dataclass(frozen=True)
class TrainingResult:
    """A finished training, with accuracies in percent; ``test_accuracy`` is None if the data has no test images."""

    progress: TrainingProgress
    valid_accuracy: float
    test_accuracy: float | None
    device: str


def train_fully(
    blueprint: Blueprint,
    data: ImageData,
    config: TrainingConfig,
    folder: Path,
    *,
    stop: Stop = never,
    tell: Callable[[TrainingProgress], object] = lambda progress: None,
) -> TrainingResult:
    """Train the network, or continue from the checkpoint in ``folder``; the best weights are written there.

    ``stop()`` is called before every step; if it is true, a checkpoint is written and Stopped is raised. ``tell`` is
    called after every step. Raises EstimateError if the loss is no longer a number, and DataError if images cannot be
    read.
    """
    device = best_device()
    train, valid, test = sources_of(data, device, config.parted)
    if not len(train) or not len(valid):
        raise DataError("a full training needs training images and validation images; add the missing ones to the data")
    run = _Run(blueprint, train, config, folder, device, stop, tell)
    with deterministic(config.seed, device):
        while run.progress.epoch < run.recipe.epochs:
            run.epoch(valid)
        weights = torch.load(folder / BEST, map_location=device, weights_only=True)
        run.network.load_state_dict(weights)
        test_accuracy = run.accuracy(test) if len(test) else None
    best = run.progress.valid_accuracy
    assert best is not None
    used = f"{device_name(device)}, mixed precision" if run.precision.mixed else device_name(device)
    return TrainingResult(run.progress, best, test_accuracy, used)


def optimizer_of(network: nn.Module, recipe: Recipe, rate: float) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; its rate is set before every step."""
    parameters = network.parameters()
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            parameters, rate, 0.9, recipe.epsilon, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    return torch.optim.SGD(parameters, rate, recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True)


def rate_factor(step: int, total: int, warmup_share: float) -> float:
    """Return the share of the highest rate at a step: it rises linearly, then falls along a half cosine."""
    warmup = warmup_share * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))


class _Run:
    """The state of one training."""

    def __init__(
        self,
        blueprint: Blueprint,
        train: ImageSource,
        config: TrainingConfig,
        folder: Path,
        device: torch.device,
        stop: Stop,
        tell: Callable[[TrainingProgress], object],
    ) -> None:
        self.config = config
        self.recipe = config.parts
        self.rate = config.rate
        self.train = train
        self.folder = folder
        self.device = device
        self.stop = stop
        self.tell = tell
        self.network = place(build(blueprint, seed=config.seed), device)
        self.optimizer = optimizer_of(self.network, self.recipe, self.rate)
        self.precision = Precision(device)
        self.progress = TrainingProgress(steps=steps_per_epoch(len(train), self.recipe.batch_size))
        self.losses: list[Tensor] = []
        parts = " parts" if config.parted else ""
        self.key = sha256(f"{config.model_dump_json()} {blueprint} {len(train)}{parts}".encode()).hexdigest()
        self._load()
        self.before = self.progress.seconds
        self.begun = monotonic()
        self.saved = monotonic()

    def epoch(self, valid: ImageSource) -> None:
        """Train the rest of the epoch, then validate and write a checkpoint."""
        progress = self.progress
        network = self.network
        total = progress.steps * self.recipe.epochs
        network.train()
        for inputs, labels in self.train.batches(self._rows(), (self.config.seed, progress.epoch)):
            self._attend()
            place_in_run = progress.epoch * progress.steps + progress.step
            seed = [self.config.seed, progress.epoch, progress.step]
            torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
            recipe = self.recipe
            crop = self.recipe.crop and not self.config.parted
            if recipe.flip or crop or recipe.jitter:
                rng = np.random.default_rng(seed)
                inputs = augmented(inputs, rng, flip=recipe.flip, crop=crop, jitter=recipe.jitter)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * rate_factor(place_in_run, total, recipe.warmup_share)
            with self.precision.forward():
                loss = functional.cross_entropy(network(inputs), labels, label_smoothing=recipe.label_smoothing)
            self.precision.step(loss, self.optimizer)
            self.losses.append(loss.detach())
            progress.step += 1
            if progress.step % FINITE_EVERY == 0:
                finite(float(loss.detach()))
            self._heard()
        mean_loss = finite(float(torch.stack(self.losses).mean()))
        best = progress.valid_accuracy
        if progress.steps < SHORT_EPOCH:
            shown = statistics_rows(len(self.train), self.config.seed)
            renew_statistics(network, (inputs for inputs, _ in self.train.batches(shown)))
        valid_accuracy = self.accuracy(valid)
        progress.train_losses.append(mean_loss)
        progress.valid_accuracies.append(valid_accuracy)
        progress.epoch = progress.epoch + 1
        progress.step = 0
        self.losses = []
        if best is None or valid_accuracy > best:
            progress.best_epoch = progress.epoch
            weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
            _save(weights, self.folder / BEST)
        self._heard()
        self.save()

    @torch.no_grad()
    def accuracy(self, source: ImageSource) -> float:
        """Return the share of correctly classified images in percent, in float32; raises Stopped as in training."""
        self.network.eval()
        correct = 0
        for inputs, labels in source.batches(torch.split(torch.arange(len(source)), EVALUATED)):
            if self.stop():
                raise Stopped("stopped while images were classified")
            correct += int((self.network(inputs).argmax(dim=1) == labels).sum())
        return 100 * correct / len(source)

    def save(self) -> None:
        """Write a checkpoint; the file is replaced only when the new one is complete."""
        progress = self.progress
        state = {
            "key": self.key,
            "progress": {**vars(progress)},
            "losses": [float(loss) for loss in self.losses],
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.precision.state_dict(),
        }
        _save(state, self.folder / LAST)
        self.saved = monotonic()

    def _rows(self) -> Iterator[Tensor]:
        """Return the row numbers for the remaining steps of the epoch."""
        progress = self.progress
        size = self.recipe.batch_size
        order = np.random.default_rng([self.config.seed, progress.epoch]).permutation(len(self.train))
        rows = torch.from_numpy(order)
        return (rows[step * size : (step + 1) * size] for step in range(progress.step, progress.steps))

    def _attend(self) -> None:
        if self.stop():
            self._heard()
            self.save()
            raise Stopped("stopped in the middle of a full training")
        if monotonic() - self.saved > SAVE_SECONDS:
            self.save()

    def _heard(self) -> None:
        self.progress.seconds = self.before + monotonic() - self.begun
        self.tell(self.progress)

    def _load(self) -> None:
        """Continue from the folder's checkpoint; DataError if it belongs to another training."""
        path = self.folder / LAST
        if not path.is_file():
            return
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        if state["key"] != self.key:
            raise DataError(
                "the checkpoint belongs to another training: the data or the network changed; start a new training"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state.get("precision", {}))
        self.progress = TrainingProgress(**state["progress"])
        self.losses = [torch.tensor(loss, device=self.device) for loss in state["losses"]]


def _save(state: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
