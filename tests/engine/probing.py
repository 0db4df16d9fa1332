"""Tiny networks to probe: blueprints made by hand, NAS-Bench-201 cells, and a batch of random images."""

from __future__ import annotations

import torch

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec
from engine.config.spaces import NasBench201Options
from engine.estimators.proxies.probe import Probe
from engine.registry import create_space

SPEC = InputSpec(3, 8, 8, 5)
CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
SMALL_CELL = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def cell(name: str = CELL) -> Blueprint:
    """Return a cell in a network of four channels with one cell per stage."""
    space = create_space(NasBench201Options(channels=4, cells=1), SPEC)
    return space.blueprint(space.from_string(name))


def plain(width: int = 4) -> Blueprint:
    """Return two convolutions with norm and ReLU, a pool and a classifier."""
    b = BlueprintBuilder(SPEC)
    x = b.conv_bn(b.input, width, 3)
    with b.part("second"):
        x = b.conv_bn(x, width, 3, stride=2)
    b.head(x)
    return b.build()


def probe(blueprint: Blueprint | None = None, *, images: int = 8, seed: int = 0) -> Probe:
    """Return a probe of the plain network, or of another one, with random images of alternating labels."""
    generator = torch.Generator().manual_seed(99)
    pixels = torch.rand((images, 3, 8, 8), generator=generator)
    return Probe(plain() if blueprint is None else blueprint, pixels, torch.arange(images) % SPEC.classes, seed)
