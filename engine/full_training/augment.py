"""Random flips, crops and colours of a batch; they depend only on the seed and the step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

PADDING_SHARE = 1 / 8
"""Padding as a share of the image's side; NAS-Bench-201 pads 32 pixels by 4."""


GREY = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R 601-2, as in torchvision)."""


def augmented(inputs: Tensor, rng: np.random.Generator, *, flip: bool, crop: bool, jitter: float = 0.0) -> Tensor:
    """Return augmented inputs ``(B, C, H, W)``; each image is mirrored, shifted and coloured independently."""
    count, _, height, width = inputs.shape
    if flip:
        mirrored = torch.from_numpy(rng.random(count) < 0.5).to(inputs.device)
        inputs = torch.where(mirrored[:, None, None, None], inputs.flip(3), inputs)
    if crop:
        pad = max(1, round(min(height, width) * PADDING_SHARE))
        tops, lefts = torch.from_numpy(rng.integers(0, 2 * pad + 1, (2, count))).to(inputs.device)
        padded = functional.pad(inputs, (pad, pad, pad, pad))
        rows = tops[:, None] + torch.arange(height, device=inputs.device)
        columns = lefts[:, None] + torch.arange(width, device=inputs.device)
        images = torch.arange(count, device=inputs.device)[:, None, None]
        inputs = padded[images, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    if jitter:
        inputs = coloured(inputs, rng, jitter)
    return inputs.contiguous(memory_format=torch.channels_last)


def coloured(inputs: Tensor, rng: np.random.Generator, jitter: float) -> Tensor:
    """Return inputs ``(B, C, H, W)`` between 0 and 1 with changed brightness, contrast and saturation, in this order.

    Each is multiplied by a random factor between 1 - ``jitter`` and 1 + ``jitter``, drawn for each image, as in
    torchvision's ColorJitter. Grey images have no saturation.
    """
    factors = rng.uniform(1 - jitter, 1 + jitter, (3, len(inputs), 1, 1, 1)).astype(np.float32)
    brightness, contrast, saturation = torch.from_numpy(factors).to(inputs.device)
    inputs = (inputs * brightness).clamp_(0, 1)
    mean = _grey(inputs).mean(dim=(1, 2, 3), keepdim=True)
    inputs = torch.lerp(mean, inputs, contrast).clamp_(0, 1)
    if inputs.shape[1] == 3:
        inputs = torch.lerp(_grey(inputs), inputs, saturation).clamp_(0, 1)
    return inputs


def _grey(inputs: Tensor) -> Tensor:
    """Return the brightness, ``(B, 1, H, W)``."""
    if inputs.shape[1] != 3:
        return inputs
    return (inputs * torch.tensor(GREY, device=inputs.device)[:, None, None]).sum(dim=1, keepdim=True)
