"""One network's MOTE run: a short training, and the losses along the slice from initial to trained weights."""

from __future__ import annotations

from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.blueprint import Blueprint
from engine.mote import SLICE_POINTS
from engine.networks.build import build
from engine.reduction.profiles import Profile
from engine.stopping import Stop
from engine.training import CHECK_EVERY, ImageSet, batch_rows, check_losses, deterministic, finite, place

LABEL_SMOOTHING = 0.01


class FlatWeights:
    """A network's parameters as one vector, so that a step, a copy and a move along the slice take one operator each.

    Weights of convolutions are stored in it as channels-last, as `place` lays them out.
    """

    def __init__(self, network: nn.Module) -> None:
        self.parameters = list(network.parameters())
        self.values = torch.cat([_flat(parameter.detach()) for parameter in self.parameters])
        parts = torch.split(self.values, [parameter.numel() for parameter in self.parameters])
        for parameter, part in zip(self.parameters, parts, strict=True):
            parameter.data = _shaped(part, parameter)
        self.restart()

    def restart(self) -> None:
        """Give Adam a fresh state."""
        self.adam = torch.optim.Adam([self.values], fused=True)

    def descend(self, loss: Tensor, learning_rate: float) -> None:
        """Take one step of Adam down the gradient of the loss."""
        self.adam.param_groups[0]["lr"] = learning_rate
        gradients = torch.autograd.grad(loss, self.parameters)
        self.values.grad = torch.cat([_flat(gradient) for gradient in gradients])
        self.adam.step()


class Run:
    """One network's training and slice. Stopped and EstimateError are raised as by `engine.training.train`."""

    def __init__(
        self, blueprint: Blueprint, profile: Profile, data: ImageSet, points: ImageSet, seed: int, stop: Stop
    ) -> None:
        self.profile = profile
        self.data = data
        self.seed = seed
        self.stop = stop
        network = build(
            blueprint,
            seed=seed,
            batch_norm_momentum=profile.batch_norm_momentum,
            batch_norm_eps=profile.batch_norm_eps,
            initialisation="glorot",
            running_statistics=False,  # no part of a run reads them
        )
        self.network = place(network, data.device)
        self.weights = FlatWeights(self.network)
        self.inputs, self.labels = points.batch(torch.arange(len(points)))

    def train(self) -> tuple[list[float], float]:
        """Return mean losses of the epochs, and wall seconds; the weights before and after the training are kept."""
        self.initial = self.weights.values.clone()
        started = perf_counter()
        losses = self._fit(self.profile.steps)
        if self.data.device.type == "cuda":
            torch.cuda.synchronize(self.data.device)
        seconds = perf_counter() - started
        self.trained = self.weights.values.clone()
        return _windows(losses, self.profile.epochs), seconds

    def slice(self, *, fit: bool) -> list[float]:
        """Return the losses at the points from initial to trained weights.

        With ``fit`` they are the mean losses of an epoch trained from each point.
        """
        losses = []
        for point in range(SLICE_POINTS):
            torch.lerp(self.initial, self.trained, point / (SLICE_POINTS - 1), out=self.weights.values)
            if fit:
                epoch = self._fit(self.profile.steps // self.profile.epochs)
                losses.append(sum(epoch) / len(epoch))
            else:
                losses.append(self._slice_loss())
        return losses

    def _fit(self, steps: int) -> list[float]:
        self.network.train()
        self.weights.restart()
        losses: list[Tensor] = []
        with deterministic(self.seed, self.data.device):
            for step, rows in enumerate(batch_rows(len(self.data), self.profile.batch_size, steps, self.seed)):
                if step % CHECK_EVERY == 0:
                    check_losses(losses[-CHECK_EVERY:], self.stop)
                loss = self._loss(*self.data.batch(rows))
                self.weights.descend(loss, self._learning_rate(step))
                losses.append(loss.detach())
        check_losses(losses[-CHECK_EVERY:], self.stop)
        return torch.stack(losses).tolist()

    def _learning_rate(self, step: int) -> float:
        """Return the rate of a step: constant, then falling to 0 in the last steps.

        An epoch from a point of the slice has the rates of a training's first steps.
        """
        profile = self.profile
        falling = profile.decay * profile.steps
        return profile.learning_rate * (min(1.0, (profile.steps - step) / falling) if falling else 1.0)

    @torch.no_grad()
    def _slice_loss(self) -> float:
        """Return the loss on the slice's images, with batch norm on their own statistics and without dropout."""
        self.network.eval()
        return finite(float(self._loss(self.inputs, self.labels)))

    def _loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        half = self.profile.half_precision and self.data.device.type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=half):
            scores = self.network(inputs)
        return functional.cross_entropy(scores.float(), labels, label_smoothing=LABEL_SMOOTHING)


def _flat(values: Tensor) -> Tensor:
    return (values.permute(0, 2, 3, 1) if values.dim() == 4 else values).reshape(-1)


def _shaped(part: Tensor, like: Tensor) -> Tensor:
    if like.dim() != 4:
        return part.view(like.shape)
    outputs, inputs, height, width = like.shape
    return part.view(outputs, height, width, inputs).permute(0, 3, 1, 2)


def _windows(losses: list[float], count: int) -> list[float]:
    """Return the means of ``count`` equal windows."""
    size = len(losses) // count
    return [sum(losses[start : start + size]) / size for start in range(0, size * count, size)]
