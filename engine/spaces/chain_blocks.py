"""The blocks of chain spaces, and chains as plain data; `engine.spaces.chain` documents them for users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Any

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape

KEEPS_CHANNELS = frozenset({"identity", "max_pool", "avg_pool"})
Piece = tuple[Callable[..., str], tuple[Any, ...]]
"""A part of a block, called as ``function(builder, x, *arguments)``. It is hashable so that its cost is counted only
once for each shape."""


@dataclass(frozen=True)
class Block:
    """One block, stacked ``repeat`` times; only the first repetition has the stride.

    If ``width`` is None, the block has the width that a virtual layer above chose, or without one the number of input
    channels. ``hidden`` (channels inside an inverted residual) takes precedence over ``expansion``.
    ``squeeze_excitation`` is a share of the hidden channels, 0 for no gate. Besides the kinds of `engine.spaces.chain`
    there is ``pooled_conv`` for a last layer: an optional 1x1 convolution to ``hidden`` channels, global average
    pooling, and a 1x1 convolution to ``width``.
    """

    kind: str
    activation: str = "relu"
    kernel: int = 1
    stride: int = 1
    width: int | None = None
    expansion: float = 6.0
    hidden: int | None = None
    squeeze_excitation: float = 0.0
    repeat: int = 1

    def problem(self, shape: Shape, virtual: int | None) -> str | None:
        """Return why the block cannot follow a map of this shape, or None if it can."""
        size = f"{shape.height}x{shape.width}"
        if self.kind == "identity" and self.stride > 1:
            return f"identity keeps the map's size and cannot have stride {self.stride}; use a pool, or stride 1"
        if self.kind in KEEPS_CHANNELS and self.kernel == 2 and self.stride == 1:
            return "a pool of kernel 2 needs stride 2 or more; use kernel 3 to keep the map's size"
        if self.kind in KEEPS_CHANNELS and virtual not in (None, shape.channels):
            return (
                f"{self.kind} keeps the {shape.channels} input channels, but the virtual layer above asks for "
                f"{virtual}; use it only after a layer that has brought the map to this width"
            )
        if self.stride > min(shape.height, shape.width):
            return f"stride {self.stride} is too large for a map of {size}; use larger images or fewer strided layers"
        return None

    def out_channels(self, channels: int, virtual: int | None) -> int:
        """Return the number of output channels for ``channels`` input channels."""
        return channels if self.kind in KEEPS_CHANNELS else self.width or virtual or channels

    def hidden_channels(self, channels: int) -> int:
        """Return the number of channels inside an inverted residual with ``channels`` input channels."""
        return self.hidden or max(1, floor(channels * self.expansion + 0.5))

    def append(self, b: BlueprintBuilder, x: str, virtual: int | None = None) -> str:
        """Append the block's nodes to ``x`` and return the name of the last one."""
        for turn in range(self.repeat):
            pieces, residual = self.pieces(b.shape(x), virtual, turn)
            y = x
            for function, arguments in pieces:
                y = function(b, y, *arguments)
            x = b.add([x, y]) if residual else y
        return x

    def pieces(self, shape: Shape, virtual: int | None, turn: int) -> tuple[list[Piece], bool]:
        """Return the parts of repetition ``turn`` for an input of ``shape``, and whether the input is added to them."""
        stride = self.stride if turn == 0 else 1
        out = self.out_channels(shape.channels, virtual)
        conv = BlueprintBuilder.conv_bn
        match self.kind:
            case "conv":
                return [(conv, (out, self.kernel, stride, 1, self.activation))], False
            case "separable_conv":
                depthwise = conv, (shape.channels, self.kernel, stride, shape.channels, self.activation)
                return [depthwise, (conv, (out, 1, 1, 1, self.activation))], False
            case "inverted_residual":
                return self._inverted_residual(shape.channels, out, stride), stride == 1 and out == shape.channels
            case "pooled_conv":
                before: list[Piece] = [(conv, (self.hidden, 1, 1, 1, self.activation))] if self.hidden else []
                return [*before, (BlueprintBuilder.global_avg_pool, ()), (conv, (out, 1, 1, 1, self.activation))], False
            case "max_pool":
                return [(BlueprintBuilder.max_pool, self._window(shape, stride))], False
            case "avg_pool":
                return [(BlueprintBuilder.avg_pool, self._window(shape, stride))], False
            case _:
                return [], False

    def scaled(self, factor: float) -> Block:
        """Return the block with its widths multiplied by ``factor`` and rounded to at least 1."""
        return replace(self, width=_scaled(self.width, factor), hidden=_scaled(self.hidden, factor))

    def _window(self, shape: Shape, stride: int) -> tuple[int, int, int]:
        """Return kernel, stride and padding.

        On a map of a single row or column, which only reduced networks have, a kernel of 2 becomes 1.
        """
        kernel = min(self.kernel, shape.height, shape.width) if self.kernel == 2 else self.kernel
        return kernel, stride, (kernel - 1) // 2

    def _inverted_residual(self, channels: int, out: int, stride: int) -> list[Piece]:
        conv = BlueprintBuilder.conv_bn
        hidden = self.hidden_channels(channels)
        expand: list[Piece] = [] if hidden == channels else [(conv, (hidden, 1, 1, 1, self.activation))]
        depthwise = conv, (hidden, self.kernel, stride, hidden, self.activation)
        squeezed = max(1, floor(hidden * self.squeeze_excitation + 0.5))
        gated: list[Piece] = [(_gate, (squeezed,))] if self.squeeze_excitation else []
        return [*expand, depthwise, *gated, (conv, (out, 1, 1, 1, None))]


def _gate(b: BlueprintBuilder, x: str, squeezed: int) -> str:
    """Append squeeze-excitation: every channel of ``x`` times a gate computed from the means of all channels."""
    gate = b.activation(b.conv2d(b.global_avg_pool(x), squeezed, bias=True), "relu")
    return b.multiply(x, b.activation(b.conv2d(gate, b.shape(x).channels, bias=True), "hard_sigmoid"))


@dataclass(frozen=True)
class Option:
    """One option of a layer: a block, or the width that a virtual layer sets.

    ``path`` is its place in the user's document.
    """

    label: str
    path: str
    block: Block | None = None
    virtual: int | None = None

    def scaled(self, factor: float) -> Option:
        """Return the option with its widths multiplied by ``factor``."""
        block = self.block.scaled(factor) if self.block else None
        return replace(self, block=block, virtual=_scaled(self.virtual, factor))


@dataclass(frozen=True)
class Layer:
    """One decision; ``default`` is the label of the user's default, or None."""

    name: str
    path: str
    options: tuple[Option, ...]
    default: str | None = None


@dataclass(frozen=True)
class Chain:
    """A whole chain space: stem, layers, head."""

    layers: tuple[Layer, ...]
    stem: Block | None = None
    head: Block | None = None
    dropout: float = 0.0

    def network(self, spec: InputSpec, choices: Sequence[int]) -> Blueprint:
        """Return the network of one chosen option per layer."""
        b = BlueprintBuilder(spec)
        x = self.stem.append(b, b.input) if self.stem else b.input
        virtual = None
        for index, (layer, choice) in enumerate(zip(self.layers, choices, strict=True)):
            option = layer.options[choice]
            if option.block is None:
                virtual = option.virtual
                continue
            with b.part(layer.name, index):
                x = option.block.append(b, x, virtual)
        self.append_head(b, x)
        return b.build()

    def append_head(self, b: BlueprintBuilder, x: str) -> str:
        """Append the head: convolution, global average pooling (unless a layer has pooled), dropout, classifier."""
        with b.part("head"):
            x = self.head.append(b, x) if self.head else x
            x = x if self.pools else b.global_avg_pool(x)
            return b.linear(b.dropout(x, self.dropout) if self.dropout else x, b.spec.classes)

    @property
    def pools(self) -> bool:
        """Return whether the last layer contains the global pooling."""
        block = self.layers[-1].options[0].block
        return block is not None and block.kind == "pooled_conv"

    def scaled(self, factor: float) -> Chain:
        """Return the chain with every width multiplied by ``factor``."""
        layers = (replace(la, options=tuple(option.scaled(factor) for option in la.options)) for la in self.layers)
        stem, head = (block.scaled(factor) if block else None for block in (self.stem, self.head))
        return replace(self, layers=tuple(layers), stem=stem, head=head)


def _scaled(width: int | None, factor: float) -> int | None:
    return None if width is None else max(1, floor(width * factor + 0.5))
