"""What a network looks like, as a few numbers: traits that any space's networks share, for models of quality.

Parts through which nothing of the image reaches the class scores (zeros, dead ends) count for nothing. Depths are
counted along the paths from image to class scores, so that a cell with an identity path differs from one without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import log

from engine.blueprint import Blueprint, Node
from engine.canonical import reached_by_image

POOLS = ("max_pool", "avg_pool")


def traits(blueprint: Blueprint) -> dict[str, float]:
    """Named traits of one network; a trait that is not named is 0.

    ``connected``: 1 when the image reaches the class scores; without it nothing else is named.
    ``log_paths``: natural logarithm of the number of paths. ``convs_min``, ``convs_max``, ``convs_mean``: convolutions
    and linear layers on the shortest, the longest and the average path. ``changes_min``: the same with pooling counted,
    on the shortest path. ``convs_1``, ``depthwise_3``, ``pools``, ...: operations by kind and kernel size.
    ``log_width``: natural logarithm of the channels of all convolutions' outputs together.
    """
    living = _living(blueprint)
    if blueprint.output.name not in living:
        return {}
    paths: dict[str, float] = {}
    lengths: dict[str, float] = {}  # of all paths together, in convolutions
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
    """The nodes that something of the image reaches and that reach the class scores."""
    reached = reached_by_image(blueprint)
    useful = {blueprint.output.name} if reached[blueprint.output.name] else set()
    for node in reversed(blueprint.nodes):
        if node.name in useful:
            useful.update(name for name in node.inputs if reached[name])
    return dict.fromkeys(node.name for node in blueprint if node.name in useful)


def _kind(node: Node) -> str:
    """The name under which an operation is counted; empty for those that every network has alike."""
    if node.op in POOLS:
        return "pools"
    if node.op == "linear":
        return "linears"
    if node.op != "conv2d":
        return ""
    form = "depthwise" if node.integer("groups") > 1 else "convs"
    return f"{form}_{node.integer('kernel')}"
