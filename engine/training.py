"""Mini-batch training for the estimates: deterministic, stoppable, with images prepared once.

The order of images depends only on the seed, never on the network, so that results differ only because of the networks.
Every step runs in float32. On a CPU without bf16 instructions, bf16 autocast was 8 to 14 times slower, and a worker's
CPU must not change scores by more than rounding. The caller sets the number of threads.
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
from engine.stopping import Stop, never

CHECK_EVERY = 10
"""Steps between two checks of ``stop()`` and of the losses."""
STATISTICS_IMAGES, STATISTICS_BATCH = 1_024, 128
"""The largest number of images from which batch norm's statistics are recomputed, and the batch size for this."""


def best_device() -> torch.device:
    """Return the first GPU, or the CPU if there is none."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """Return the name recorded with a score: ``cpu``, or ``cuda`` with the card's name."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@dataclass(frozen=True)
class ImageSet:
    """Images ``(N, C, H, W)`` as uint8 and labels ``(N,)`` on one device."""

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, split: Split, device: torch.device, max_side: int | None = None) -> ImageSet:
        """Return the split's images on the device; images larger than ``max_side`` are averaged down to that side."""
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
        """The device of the images."""
        return self.labels.device

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs (pixels / 255, float32) and labels of the given rows."""
        rows = rows.to(self.device)
        inputs = self.images[rows].to(torch.float32).mul_(1 / 255)
        return inputs.contiguous(memory_format=torch.channels_last), self.labels[rows]


def batch_rows(count: int, batch_size: int, steps: int, seed: int) -> Iterator[Tensor]:
    """Yield ``steps`` batches of row numbers from shuffled epochs.

    An epoch's last batch is left out if it has less than half the batch size.
    """
    rng = np.random.default_rng(seed)
    per_epoch = steps_per_epoch(count, batch_size)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.from_numpy(rng.permutation(count))
        start = step % per_epoch * batch_size
        yield order[start : start + batch_size]


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Return the number of batches per epoch of `batch_rows`, at least one."""
    full, rest = divmod(count, batch_size)
    return max(full + (2 * rest >= batch_size), 1)


@contextmanager
def deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the generators that training uses (dropout) and make cuDNN deterministic; restore both afterwards."""
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.random.fork_rng(devices=devices), cudnn:
        torch.manual_seed(seed)
        yield


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """Move the network to the device, with its weights in the memory layout of `ImageSet.batch`."""
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
    """Train on the batches and return each step's loss.

    ``after_step`` is for learning rate schedules. Raises Stopped if ``stop()``, which is checked every `CHECK_EVERY`
    steps, is true, and EstimateError if the loss is no longer a number.
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
    """Return random row numbers of training images for `renew_statistics`, in batches of about the same size."""
    rows = np.random.default_rng(seed).permutation(count)[:STATISTICS_IMAGES]
    return list(torch.tensor_split(torch.from_numpy(rows), math.ceil(len(rows) / STATISTICS_BATCH)))


def renew_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Recompute batch norm's running statistics from images ``(B, C, H, W)`` with the present weights.

    During training they follow the weights only over tens of steps, so after a short training they belong to old
    weights.
    """
    update_bn(batches, network)


@torch.no_grad()
def accuracy(network: nn.Module, data: ImageSet, batch_size: int = 512, stop: Stop = never) -> float:
    """Return the share of correctly classified images in percent, with the running statistics of batch norm."""
    network.eval()
    correct = 0
    for rows in torch.split(torch.arange(len(data)), batch_size):
        if stop():
            raise Stopped("stopped while the validation images were classified")
        inputs, labels = data.batch(rows)
        correct += int((network(inputs).argmax(dim=1) == labels).sum())
    return 100 * correct / len(data)


def finite(loss: float) -> float:
    """Return the loss; EstimateError if it is not a finite number."""
    if not math.isfinite(loss):
        raise EstimateError(
            "the loss became infinite or not a number: the network cannot be trained with these settings"
        )
    return loss


def check_losses(losses: Sequence[Tensor], stop: Stop) -> None:
    """Raise Stopped if ``stop()`` is true, and EstimateError if one of the losses is not a finite number."""
    if stop():
        raise Stopped("stopped in the middle of a training")
    if losses:
        finite(float(torch.stack(list(losses)).sum()))
