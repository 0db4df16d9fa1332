"""Codes of images: coarse pixels, or outputs of a VGG-16 trained on ImageNet (MOTE, first step of reduced data, RD)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VGG16_Weights, vgg16

from engine.datasets.base import Pixels
from engine.errors import EngineError, Stopped
from engine.reduction.choice import Encoder, missing_weights, weights_file
from engine.stopping import Stop, never

PIXEL_SIDE = 8
VGG_SIDE = 224
BATCH = 16
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's three channels, by which VGG-16's inputs are normalised."""


def encode(images: Pixels, encoder: Encoder, device: torch.device, stop: Stop = never) -> NDArray[np.float32]:
    """Return codes ``(N, D)`` of uint8 images ``(N, C, H, W)``; raises Stopped if ``stop()`` is true between batches.

    - ``pixels``: the image averaged to 8x8.
    - ``vgg16_pool``: the last pooling layer averaged over its channels, 49 numbers, as in the authors' code.
    - ``vgg16_softmax``: the 1,000 class probabilities, as in their paper.
    """
    network = None if encoder == "pixels" else _vgg(encoder).to(device)
    codes = []
    for part in torch.split(torch.from_numpy(np.array(images)), BATCH):
        if stop():
            raise Stopped("stopped while the labels' images were encoded")
        with torch.no_grad():
            codes.append(_pixels(part) if network is None else network(_prepared(part.to(device))).cpu())
    return np.asarray(torch.cat(codes).numpy())


def _pixels(images: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(images.float(), PIXEL_SIDE).flatten(1) / 255


def _prepared(images: Tensor) -> Tensor:
    values = images.float() / 255
    values = values.expand(-1, 3, -1, -1) if values.shape[1] == 1 else values
    values = functional.interpolate(values, size=(VGG_SIDE, VGG_SIDE), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(part, device=images.device)[:, None, None] for part in (MEAN, STD))
    return (values - mean) / std


class ChannelMean(nn.Module):
    """VGG-16 up to its last pooling layer, whose output is averaged over channels."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, 49)`` for images ``(B, 3, 224, 224)``."""
        maps: Tensor = self.features(x)
        return maps.mean(dim=1).flatten(1)


def _vgg(encoder: Encoder) -> nn.Module:
    if not weights_file().is_file():
        raise EngineError(missing_weights())
    network = vgg16(weights=VGG16_Weights.IMAGENET1K_V1).eval()
    return ChannelMean(network.features) if encoder == "vgg16_pool" else nn.Sequential(network, nn.Softmax(dim=1))
