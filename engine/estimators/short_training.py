"""Short training: the full network for a few epochs, scored by its accuracy on the validation images."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice

import torch

from engine.config.estimators import ShortTrainingOptions
from engine.datasets.base import ImageData
from engine.estimate import Estimate
from engine.estimators.base import TrainingEstimator, unknown_fidelity
from engine.networks.build import build
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop
from engine.training import (
    ImageSet,
    accuracy,
    batch_rows,
    deterministic,
    place,
    renew_statistics,
    statistics_rows,
    steps_per_epoch,
    train,
)

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4


class ShortTraining(TrainingEstimator):
    """SGD with Nesterov momentum on a one-cycle schedule; the test images are never read.

    Batch norm's statistics are measured again on training images before an epoch's accuracy is taken. ``fidelity`` is
    ``default`` (the epochs in the options) or ``epochs:N``. A network whose output does not depend on the image is
    trained like any other: it learns the most frequent class and scores accordingly.
    """

    def __init__(
        self, options: ShortTrainingOptions, space: SearchSpace, data: ImageData | None, table: object = None
    ) -> None:
        super().__init__(options, space, data, table)
        self.options = options

    @cached_property
    def _sets(self) -> tuple[ImageSet, ImageSet]:
        splits = self.data.load()
        return ImageSet.of(splits.train, self.device), ImageSet.of(splits.valid, self.device)

    def _score(self, item: Architecture, seed: int, fidelity: str, stop: Stop) -> Estimate:
        epochs = self._epochs(fidelity)
        train_set, valid_set = self._sets
        network = place(build(self.space.blueprint(item), seed=seed), self.device)
        optimizer = torch.optim.SGD(
            network.parameters(), self.options.learning_rate, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True
        )
        per_epoch = steps_per_epoch(len(train_set), self.options.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.options.learning_rate, total_steps=max(per_epoch * epochs, 2), cycle_momentum=False
        )
        batches = batch_rows(len(train_set), self.options.batch_size, per_epoch * epochs, seed)
        shown = statistics_rows(len(train_set), seed)
        epoch_losses = []
        accuracies = []
        with deterministic(seed, self.device):
            for _ in range(epochs):
                epoch = islice(batches, per_epoch)
                losses = train(network, train_set, epoch, optimizer, after_step=schedule.step, stop=stop)
                epoch_losses.append(sum(losses) / len(losses))
                renew_statistics(network, (train_set.batch(rows)[0] for rows in shown))
                accuracies.append(accuracy(network, valid_set, stop=stop))
        curves = {"epoch_losses": epoch_losses, "valid_accuracy": accuracies}
        setup = {
            "network": "the full one",
            "data": f"{len(train_set)} training images; scored on {len(valid_set)} held out for validation",
            "training": f"{epochs} epochs of {per_epoch} steps, {self.options.batch_size} images each, one-cycle SGD",
        }
        return Estimate(accuracies[-1], {"valid_accuracy": accuracies[-1]}, curves, setup)

    def _epochs(self, fidelity: str) -> int:
        if fidelity == "default":
            return self.options.epochs
        match = re.fullmatch(r"epochs:([1-9]\d{0,3})", fidelity)
        if match is None:
            raise unknown_fidelity(fidelity, "choose default or epochs:N")
        return int(match[1])
