"""How long a network takes, from its shape alone: the deterministic T of MOTE's speed term.

On a GPU a small network's latency counts launches, not arithmetic: of NAS-Bench-201's measured CIFAR-10 latencies, the
number of convolutions and a constant explain 94% of the variance (least squares on the latencies, no accuracy seen);
pooling and identities add next to nothing. In the reduced network, which has two cells, the fit reads

    T ~ `FIXED_LAUNCHES` + number of convolutions and linear layers

scaled so that T's mean over the space is `engine.mote.MEAN_SECONDS`. With it the authors' losses rank NAS-Bench-201
better than with their measured seconds (`mote-exact` prints both).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import fmean

from engine.blueprint import Blueprint
from engine.errors import ArchitectureError
from engine.mote import MEAN_SECONDS
from engine.space import Architecture, SearchSpace

FIXED_LAUNCHES = 7.1
WEIGHTED = frozenset({"conv2d", "linear"})
SAMPLES = 200


def launches(blueprint: Blueprint) -> float:
    """Units of time of one network, dead branches included: the network is built with them."""
    return FIXED_LAUNCHES + sum(node.op in WEIGHTED for node in blueprint)


def mean_launches(space: SearchSpace, built: Callable[[Architecture], Blueprint]) -> float:
    """Mean of `launches` over `SAMPLES` random networks of the space, the same ones every time, as ``built`` for T."""
    rng = Random(0)
    found = [_launches_of(built, space.sample(rng)) for _ in range(SAMPLES)]
    return fmean(known) if (known := [value for value in found if value is not None]) else FIXED_LAUNCHES


def seconds(blueprint: Blueprint, mean: float) -> float:
    """T of a network of a space with this mean."""
    return MEAN_SECONDS * launches(blueprint) / mean


def _launches_of(built: Callable[[Architecture], Blueprint], item: Architecture) -> float | None:
    try:
        return launches(built(item))
    except ArchitectureError:
        return None
