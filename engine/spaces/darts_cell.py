"""The operations and cells of DARTS as blueprints (Liu et al. 2019, arXiv 1806.09055, section 3.1 and appendix A).

A convolution here is ReLU, convolution, batch norm. If a side is odd, every operation with a stride rounds it up.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.blueprint import BlueprintBuilder
from engine.spaces.fragments import factorized_reduce

OPERATIONS = (
    "sep_conv_5x5",
    "sep_conv_3x3",
    "dil_conv_5x5",
    "dil_conv_3x3",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
)
"""The operations, from most to least costly."""
NODES = 4
Pair = tuple[str, int]
"""An operation and the number of the tensor it reads: 0 and 1 are the cell's inputs, 2 to 5 its nodes."""


def append_operation(b: BlueprintBuilder, x: str, operation: str, stride: int) -> str:
    """Append one operation on a map; the number of channels does not change."""
    kernel = int(operation[-1]) if operation[-1].isdigit() else 0
    match operation.split("_")[0]:
        case "sep":
            return _depthwise_separable(b, _depthwise_separable(b, x, kernel, stride), kernel, 1)
        case "dil":
            return _depthwise_separable(b, x, kernel, stride, dilation=2)
        case "max":
            return b.max_pool(x, kernel, stride, padding=1)
        case "avg":
            return b.avg_pool(x, kernel, stride, padding=1)
    return x if stride == 1 else factorized_reduce(b, x, b.shape(x).channels)


def relu_conv_bn(b: BlueprintBuilder, x: str, width: int) -> str:
    """Append the 1x1 convolution that brings a cell's input to the cell's width."""
    return b.batch_norm(b.conv2d(b.activation(x), width))


def append_cell(
    b: BlueprintBuilder,
    group: str,
    inputs: tuple[str, str],
    width: int,
    pairs: Sequence[Pair],
    *,
    first_layer: int,
    reduction: bool,
    shrink_first: bool = False,
) -> str:
    """Append a cell and return the concatenation of its four nodes.

    ``pairs`` has two operations per node; they belong to the layers from ``first_layer`` on. ``shrink_first`` is true
    when the first input comes from before a reduction, so that it is twice as large as the second.
    """
    with b.part(group):
        first = factorized_reduce(b, inputs[0], width) if shrink_first else relu_conv_bn(b, inputs[0], width)
        tensors = [first, relu_conv_bn(b, inputs[1], width)]
    for node in range(NODES):
        summed = []
        for place in (2 * node, 2 * node + 1):
            operation, source = pairs[place]
            with b.part(group, first_layer + place):
                stride = 2 if reduction and source < 2 else 1
                summed.append(append_operation(b, tensors[source], operation, stride))
        with b.part(group):
            tensors.append(b.add(summed))
    with b.part(group):
        return b.concat(tensors[2:])


def _depthwise_separable(b: BlueprintBuilder, x: str, kernel: int, stride: int, dilation: int = 1) -> str:
    y = b.depthwise(b.activation(x), kernel, stride, dilation)
    return b.batch_norm(b.conv2d(y, b.shape(x).channels))
