"""Shared pieces of networks, and their costs, counted by building the piece as a blueprint of its own."""

from __future__ import annotations

from collections.abc import Callable

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.cost import Cost, blueprint_cost, node_cost, total

Append = Callable[[BlueprintBuilder, str], str]
"""A function that appends nodes to a map and returns the name of the last one."""


def built(shape: Shape, append: Append, classes: int = 1) -> tuple[Blueprint, Shape]:
    """Return the nodes that ``append`` adds to a map of ``shape`` as a blueprint, and the shape of the result."""
    builder = BlueprintBuilder(InputSpec(shape.channels, shape.height, shape.width, classes))
    result = append(builder, builder.input)
    return builder.build(), builder.shape(result)


def measure(shape: Shape, append: Append, classes: int = 1) -> tuple[Cost, Shape]:
    """Return the cost of the nodes that ``append`` adds to a map of ``shape``, and the shape of the result."""
    blueprint, result = built(shape, append, classes)
    return blueprint_cost(blueprint), result


def fixed_cost(blueprint: Blueprint) -> Cost:
    """Return the cost of the nodes that belong to no decision."""
    fixed = (node for node in blueprint if node.layer is None)
    return total(node_cost(node, (blueprint[source].shape for source in node.inputs)) for node in fixed)


def reduced_pooling(spec: InputSpec) -> int:
    """Return the kernel of the average pooling between the cells of a reduced network.

    It is 4, or the map's smaller side if that is less than 4 (MOTE, RA).
    """
    return min(4, spec.height, spec.width)


def cell_in_words(spec: InputSpec, channels: int) -> str:
    """Describe the reduced network of NAS-Bench-101 and 201 for pages."""
    return (
        f"A convolution of {channels} channels, the cell, average pooling by {reduced_pooling(spec)}, the cell again, "
        "the classifier."
    )


def residual_reduction(b: BlueprintBuilder, x: str, width: int) -> str:
    """Append the block between the stages of NAS-Bench-201 and NATS-Bench, which halves the map.

    It has two pre-activated 3x3 convolutions, the first with stride 2. The shortcut averages 2x2 pixels and projects
    them by a 1x1 convolution without norm. If a side is odd, the shortcut averages 3x3 pixels with padding 1 instead,
    so that both branches round the side up.
    """
    y = preactivated(b, x, width, kernel=3, stride=2)
    y = preactivated(b, y, width, kernel=3)
    shape = b.shape(x)
    even = shape.height % 2 == 0 and shape.width % 2 == 0
    pooled = b.avg_pool(x, 2) if even else b.avg_pool(x, 3, stride=2, padding=1)
    return b.add([y, b.conv2d(pooled, width)])


def preactivated(b: BlueprintBuilder, x: str, width: int, kernel: int, stride: int = 1) -> str:
    """Append the convolution of these benchmarks: ReLU, convolution, batch norm."""
    return b.batch_norm(b.conv2d(b.activation(x), width, kernel, stride))


def factorized_reduce(b: BlueprintBuilder, x: str, width: int) -> str:
    """Append the reduction of DARTS and TransNAS-Bench-101, which halves the map.

    Half of the channels come from the even pixels, half from the odd pixels.
    """
    x = b.activation(x)
    halves = [b.conv2d(x, width // 2, stride=2), b.conv2d(b.shift(x), width - width // 2, stride=2)]
    return b.batch_norm(b.concat(halves))


def normed_head(b: BlueprintBuilder, x: str) -> str:
    """Append batch norm, ReLU, global average pooling and the classifier."""
    with b.part("head"):
        x = b.activation(b.batch_norm(x))
    return b.head(x)
