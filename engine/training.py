"""Mini-batch training shared by the estimates: deterministic, stoppable, images prepared once.

The order of images depends on the seed alone, never on the network, so that candidates differ only by what they are.
Every step runs in float32: on a CPU without bf16 instructions bf16 autocast was 8 to 14 times slower, and scores must
not depend on which CPU a worker has more than rounding does. Thread counts are the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from engine.datasets.base import Split
from engine.errors import EstimateError, Stopped
from engine.estimate import Stop, never

CHECK_EVERY = 10
"""Steps between two looks at ``stop()`` and at the losses."""
STATISTICS_IMAGES, STATISTICS_BATCH = 1_024, 128
"""How many images batch norm's statistics are taken from anew, at most, and how many of them at once."""


def best_device() -> torch.device:
    """The first GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """``cpu``, or ``cuda`` with the card's name: what is recorded beside a score."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@dataclass(frozen=True)
class ImageSet:
    """Images ``(N, C, H, W)`` as uint8 and labels ``(N,)`` on one device."""

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, split: Split, device: torch.device, max_side: int | None = None) -> ImageSet:
        """The split's images on the device, those larger than ``max_side`` averaged down to it; none is enlarged."""
        images = torch.from_numpy(np.array(split.images))
        if max_side is not None and max(images.shape[2:]) > max_side:
            size = [min(side, max_side) for side in images.shape[2:]]
            parts = [functional.interpolate(part.float(), size=size, mode="area") for part in torch.split(images, 512)]
            images = torch.cat([part.round_().to(torch.uint8) for part in parts])
        if device.type == "cuda":
            images = images.pin_memory()
        images = images.to(device, memory_format=torch.channels_last, non_blocking=True)
        return cls(images, torch.from_numpy(np.array(split.labels)).to(device))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.labels.device

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (pixels / 255, float32) and labels of some rows."""
        rows = rows.to(self.device)
        inputs = self.images[rows].to(torch.float32).mul_(1 / 255)
        return inputs.contiguous(memory_format=torch.channels_last), self.labels[rows]


def batch_rows(count: int, batch_size: int, steps: int, seed: int) -> Iterator[Tensor]:
    """``steps`` batches of row numbers: shuffled epochs, a last batch of less than half the size left out."""
    rng = np.random.default_rng(seed)
    per_epoch = steps_per_epoch(count, batch_size)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.from_numpy(rng.permutation(count))
        start = step % per_epoch * batch_size
        yield order[start : start + batch_size]


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Batches an epoch, as `batch_rows` cuts them; at least one."""
    full, rest = divmod(count, batch_size)
    return max(full + (2 * rest >= batch_size), 1)


@contextmanager
def deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds what networks draw while they train (dropout) and fixes cuDNN's choices; leaves both as they were."""
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.random.fork_rng(devices=devices), cudnn:
        torch.manual_seed(seed)
        yield


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device, its weights laid out as `ImageSet.batch` lays out images."""
    return network.to(device).to(memory_format=torch.channels_last)


def train(
    network: nn.Module,
    data: ImageSet,
    batches: Iterator[Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    label_smoothing: float = 0.0,
    after_step: Callable[[], object] | None = None,
    stop: Stop = never,
) -> list[float]:
    """Trains on the batches and returns each step's loss.

    Stopped when ``stop()`` is true at one of its turns; EstimateError when the loss is no longer a number.
    ``after_step`` is for learning rate schedules.
    """
    network.train()
    losses: list[Tensor] = []
    for step, rows in enumerate(batches):
        if step % CHECK_EVERY == 0:
            check_losses(losses[-CHECK_EVERY:], stop)
        inputs, labels = data.batch(rows)
        loss = functional.cross_entropy(network(inputs), labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if after_step is not None:
            after_step()
        losses.append(loss.detach())
    check_losses(losses[-CHECK_EVERY:], stop)
    return torch.stack(losses).tolist() if losses else []


def statistics_rows(count: int, seed: int) -> list[Tensor]:
    """Row numbers of the training images, in even batches, that `renew_statistics` is shown: drawn at random."""
    rows = np.random.default_rng(seed).permutation(count)[:STATISTICS_IMAGES]
    return list(torch.tensor_split(torch.from_numpy(rows), math.ceil(len(rows) / STATISTICS_BATCH)))


def renew_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Takes batch norm's running statistics anew from ``(B, C, H, W)`` images, with the weights as they are now.

    In training they follow over tens of steps: after a short one they are those of weights long gone.
    """
    update_bn(batches, network)


@torch.no_grad()
def accuracy(network: nn.Module, data: ImageSet, batch_size: int = 512, stop: Stop = never) -> float:
    """Share of images classified correctly, in percent, with the running statistics of batch norm."""
    network.eval()
    correct = 0
    for rows in torch.split(torch.arange(len(data)), batch_size):
        if stop():
            raise Stopped("stopped while the validation images were classified")
        inputs, labels = data.batch(rows)
        correct += int((network(inputs).argmax(dim=1) == labels).sum())
    return 100 * correct / len(data)


def finite(loss: float) -> float:
    """The loss; EstimateError when it is not a number."""
    if not math.isfinite(loss):
        raise EstimateError(
            "the loss became infinite or not a number: the network cannot be trained with these settings"
        )
    return loss


def check_losses(losses: Sequence[Tensor], stop: Stop) -> None:
    """Stopped when ``stop()`` is true; EstimateError when one of the losses is not a number."""
    if stop():
        raise Stopped("stopped in the middle of a training")
    if losses:
        finite(float(torch.stack(list(losses)).sum()))
