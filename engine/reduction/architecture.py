"""Reduced architectures (MOTE, RA): the images they see, and what they are in words. Each space builds its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.blueprint import InputSpec
from engine.errors import ArchitectureError
from engine.space import SearchSpace

REDUCED_CHANNELS = 32
"""Base width of reduced networks, as published."""
SIDES: Mapping[str, int] = MappingProxyType({"fast": 8, "paper": 32})
"""Of each profile of MOTE the side of its images; larger ones are averaged down to it."""
LEAST_SIDE = 16


def explanation(space: SearchSpace, profile: str) -> str:
    """The reduced network that a profile trains, and what it costs."""
    return space.reduction_note(reduced_spec(space, SIDES[profile]), REDUCED_CHANNELS)


def reduced_spec(space: SearchSpace, max_side: int) -> InputSpec:
    """The spec of images reduced to ``max_side``, or to a doubling of it where the space's networks need more.

    The default network must be possible, and below `LEAST_SIDE` end on a map of 2x2 or more: on one pixel all kernels
    are alike.
    """
    spec, side = space.spec, max_side
    while True:
        reduced = replace(spec, height=min(spec.height, side), width=min(spec.width, side))
        whole = reduced == spec
        if whole or _fits(space, reduced, side < LEAST_SIDE):
            return reduced
        side *= 2


def _fits(space: SearchSpace, spec: InputSpec, choosy: bool) -> bool:
    try:
        blueprint = space.reduced_blueprint(space.default(), spec, REDUCED_CHANNELS)
    except ArchitectureError:
        return False
    last = [blueprint[node.inputs[0]].shape for node in blueprint if node.op == "global_avg_pool"]
    return not choosy or all(min(shape.height, shape.width) > 1 for shape in last[-1:])
