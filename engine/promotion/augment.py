"""Random flips and crops of a batch, drawn from a seed and the step alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

PADDING_SHARE = 1 / 8
"""NAS-Bench-201 pads 32 pixels by 4."""


def augmented(inputs: Tensor, rng: np.random.Generator, *, flip: bool, crop: bool) -> Tensor:
    """``(B, C, H, W)`` to the same shape; each image is mirrored and shifted by itself."""
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
    return inputs.contiguous(memory_format=torch.channels_last)
