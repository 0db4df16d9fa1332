"""The numbers of MOTE's reduced trainings: their length, and the size of their images and networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REDUCED_CHANNELS = 32
"""Base width of reduced networks, as published."""


@dataclass(frozen=True)
class Profile:
    """The size of a MOTE run; an "epoch" is ``steps / epochs`` steps, so that curves of all data have equal lengths.

    ``max_side``: larger images are averaged down to this side in pixels. ``slice_images``: number of training images
    for the losses of the slice. ``decay``: share of the steps, at the end, over which the learning rate falls linearly
    to 0. ``half_precision``: bfloat16 autocast, only on a GPU.
    """

    max_side: int
    batch_size: int
    steps: int
    epochs: int
    learning_rate: float = 1e-3
    batch_norm_momentum: float = 0.003
    batch_norm_eps: float = 1e-4
    slice_images: int = 512
    decay: float = 0.0
    half_precision: bool = False


PROFILES: Mapping[str, Profile] = {
    "fast": Profile(
        max_side=8,
        batch_size=32,
        steps=100,
        epochs=10,
        learning_rate=3e-3,
        slice_images=256,
        decay=1 / 3,
        half_precision=True,
    ),
    "paper": Profile(max_side=32, batch_size=1024, steps=250, epochs=50),
}
"""``paper`` is the published profile; ``fast`` was chosen on cells that no reported figure uses
(engine/benchmarks/README.md)."""
