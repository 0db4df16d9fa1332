"""Traits: a few numbers that describe any space's networks, for models of quality.

Parts that do not connect the image with the class scores (zeros, dead ends) are not counted. Depths are counted along
the paths from image to class scores, so that a cell with an identity path differs from one without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import log

from engine.blueprint import Blueprint, Node
from engine.canonical import reached_by_image

POOLS = ("max_pool", "avg_pool")


def traits(blueprint: Blueprint) -> dict[str, float]:
    """Return the named traits of one network; a missing trait is 0.

    - ``connected``: 1 if the image reaches the class scores; otherwise there are no other traits.
    - ``log_paths``: natural logarithm of the number of paths.
    - ``convs_min``, ``convs_max``, ``convs_mean``: convolutions and linear layers on the shortest, the longest and the
      average path. ``changes_min``: the same on the shortest path, with pooling counted too.
    - ``convs_1``, ``depthwise_3``, ``pools``, ...: number of operations by kind and kernel size.
    - ``log_width``: natural logarithm of the summed output channels of all convolutions.
    """
    living = _living(blueprint)
    if blueprint.output.name not in living:
        return {}
    paths: dict[str, float] = {}
    lengths: dict[str, float] = {}  # summed over all paths, in convolutions
    shortest: dict[str, int] = {}
    longest: dict[str, int] = {}
    changes: dict[str, int] = {}
    counts: Counter[str] = Counter()
    width = 0
    for node in blueprint:
        if node.name not in living:
            continue
        kind = _kind(node)
        if kind:
            counts[kind] += 1
        conv = int(node.op in ("conv2d", "linear"))
        change = int(bool(kind))
        width += node.shape.channels if node.op == "conv2d" else 0
        sources = [name for name in node.inputs if name in living]
        name = node.name
        paths[name] = sum(paths[s] for s in sources) if sources else 1.0
        lengths[name] = sum(lengths[s] for s in sources) + conv * paths[name]
        shortest[name] = conv + min((shortest[s] for s in sources), default=0)
        longest[name] = conv + max((longest[s] for s in sources), default=0)
        changes[name] = change + min((changes[s] for s in sources), default=0)
    end = blueprint.output.name
    return {
        "connected": 1.0,
        "log_paths": log(paths[end]),
        "convs_min": float(shortest[end]),
        "convs_max": float(longest[end]),
        "convs_mean": lengths[end] / paths[end],
        "changes_min": float(changes[end]),
        "log_width": log(max(width, 1)),
        **{kind: float(count) for kind, count in sorted(counts.items())},
    }


def _living(blueprint: Blueprint) -> Mapping[str, None]:
    """Return the nodes on paths from the image to the class scores."""
    reached = reached_by_image(blueprint)
    useful = {blueprint.output.name} if reached[blueprint.output.name] else set()
    for node in reversed(blueprint.nodes):
        if node.name in useful:
            useful.update(name for name in node.inputs if reached[name])
    return dict.fromkeys(node.name for node in blueprint if node.name in useful)


def _kind(node: Node) -> str:
    """Return the name under which an operation is counted; empty for operations that are not counted."""
    if node.op in POOLS:
        return "pools"
    if node.op == "linear":
        return "linears"
    if node.op != "conv2d":
        return ""
    form = "depthwise" if node.integer("groups") > 1 else "convs"
    return f"{form}_{node.integer('kernel')}"
