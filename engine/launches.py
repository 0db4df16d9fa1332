"""The time that a network takes, computed from its shape: the deterministic T of MOTE's speed term.

On a GPU the latency of a small network depends on the number of kernel launches, not on arithmetic. The number of
convolutions and a constant explain 94% of the variance of NAS-Bench-201's measured CIFAR-10 latencies (least squares on
the latencies, without accuracies); pooling and identities add almost nothing. For the reduced network, which has two
cells, the fit is

    T ~ `FIXED_LAUNCHES` + number of convolutions and linear layers

scaled so that the mean of T over the space is `engine.mote.MEAN_SECONDS`. With this T, the authors' losses rank
NAS-Bench-201 better than with the authors' measured seconds (the benchmark `mote-exact` prints both).
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
    """Return a network's time in launches, including dead branches, because the network is built with them."""
    return FIXED_LAUNCHES + sum(node.op in WEIGHTED for node in blueprint)


def mean_launches(space: SearchSpace, built: Callable[[Architecture], Blueprint]) -> float:
    """Return the mean of `launches` over `SAMPLES` random networks of the space, the same ones every time.

    ``built`` returns the network whose launches are counted.
    """
    rng = Random(0)
    found = [_launches_of(built, space.sample(rng)) for _ in range(SAMPLES)]
    return fmean(known) if (known := [value for value in found if value is not None]) else FIXED_LAUNCHES


def seconds(blueprint: Blueprint, mean: float) -> float:
    """Return T in seconds of a network, given the mean launches of its space."""
    return MEAN_SECONDS * launches(blueprint) / mean


def _launches_of(built: Callable[[Architecture], Blueprint], item: Architecture) -> float | None:
    try:
        return launches(built(item))
    except ArchitectureError:
        return None
