"""Reduced architectures (MOTE, RA): the size of their images, and their descriptions. Each space builds its own."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from engine.blueprint import Blueprint, InputSpec, Shape
from engine.canonical import canonical, structure
from engine.config.estimators import MoteOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.reduction.profiles import PROFILES, REDUCED_CHANNELS
from engine.space import Architecture, SearchSpace

LEAST_SIDE = 16


def network_of(options: MoteOptions, space: SearchSpace) -> str:
    """Return the `explanation` of the network that a MOTE estimate trains."""
    return explanation(space, options.profile, options.network)


def explanation(space: SearchSpace, profile: str, network: str = "reduced") -> str:
    """Describe the network that a profile trains, ``reduced`` or ``full``, and its cost."""
    if network == "full":
        spec = space.spec
        times = full_over_reduced(space, profile)
        return (
            f"None: the full network is trained, on images of {spec.height}x{spec.width}. The default network takes "
            f"{times:.3g} times the multiply-adds of the reduced one."
        )
    return space.reduction_note(reduced_spec(space, PROFILES[profile].max_side), REDUCED_CHANNELS)


def full_over_reduced(space: SearchSpace, profile: str) -> float:
    """Return the ratio of the full network's multiply-adds to the reduced one's, for the default architecture."""
    spec = reduced_spec(space, PROFILES[profile].max_side)
    reduced = space.reduced_blueprint(space.default(), spec, REDUCED_CHANNELS)
    return space.cost(space.default()).metric("madds_m") / blueprint_cost(reduced).metric("madds_m")


def is_full(space: SearchSpace, profile: str) -> bool:
    """Return whether the reduced network of the default architecture equals the full one."""
    default = space.default()
    spec = reduced_spec(space, PROFILES[profile].max_side)
    reduced = space.reduced_blueprint(default, spec, REDUCED_CHANNELS)
    return spec == space.spec and structure(canonical(reduced)) == structure(canonical(space.blueprint(default)))


def full_blueprint(space: SearchSpace, item: Architecture, classes: int) -> Blueprint:
    """Return the full network for ``classes`` labels, which can be fewer than the data's if the data is reduced."""
    blueprint = space.blueprint(item)
    last = blueprint.output
    attrs = MappingProxyType({**last.attrs, "out_features": classes})
    output = replace(last, attrs=attrs, shape=Shape(classes, 1, 1))
    return Blueprint(replace(blueprint.input, classes=classes), (*blueprint.nodes[:-1], output))


def reduced_spec(space: SearchSpace, max_side: int) -> InputSpec:
    """Return the spec of images reduced to ``max_side``, or to a doubling of it if the space's networks need more.

    The default network must fit. Below `LEAST_SIDE` its last map must also be 2x2 or larger, because on a single pixel
    all kernels act alike.
    """
    spec = space.spec
    side = max_side
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
