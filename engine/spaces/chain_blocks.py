"""The blocks of chain spaces, and chains as plain data; `engine.spaces.chain` documents them for users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape

KEEPS_CHANNELS = frozenset({"identity", "max_pool", "avg_pool"})


@dataclass(frozen=True)
class Block:
    """One block, stacked ``repeat`` times with its stride on the first.

    ``width`` None: the width that a virtual layer above chose, else the channels that arrive. ``hidden`` (channels
    inside an inverted residual) goes before ``expansion``; ``squeeze_excitation`` is a share of them, 0 for none.
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
        """Why the block cannot stand behind a map of this shape, if so."""
        size = f"{shape.height}x{shape.width}"
        if self.kind == "identity" and self.stride > 1:
            return f"identity keeps the map's size and cannot have stride {self.stride}; use a pool, or stride 1"
        if self.kind in KEEPS_CHANNELS and self.kernel == 2 and self.stride == 1:
            return "a pool of kernel 2 needs stride 2 or more; use kernel 3 to keep the map's size"
        if self.kind in KEEPS_CHANNELS and virtual not in (None, shape.channels):
            return (
                f"{self.kind} keeps the {shape.channels} channels that arrive, but the virtual layer above asks for "
                f"{virtual}; offer it behind a layer that has brought the map to this width"
            )
        if self.stride > min(shape.height, shape.width):
            return f"stride {self.stride} meets a map of {size}; use larger images or fewer strided layers"
        return None

    def out_channels(self, channels: int, virtual: int | None) -> int:
        """Channels that leave the block when ``channels`` arrive."""
        return channels if self.kind in KEEPS_CHANNELS else self.width or virtual or channels

    def hidden_channels(self, channels: int) -> int:
        """Channels inside an inverted residual when ``channels`` arrive."""
        return self.hidden or max(1, floor(channels * self.expansion + 0.5))

    def append(self, b: BlueprintBuilder, x: str, virtual: int | None = None) -> str:
        """The block's nodes behind ``x``."""
        for turn in range(self.repeat):
            x = self._once(b, x, self.out_channels(b.shape(x).channels, virtual), self.stride if turn == 0 else 1)
        return x

    def scaled(self, factor: float) -> Block:
        """The block with its widths multiplied and rounded to at least 1."""
        return replace(self, width=_scaled(self.width, factor), hidden=_scaled(self.hidden, factor))

    def _once(self, b: BlueprintBuilder, x: str, out: int, stride: int) -> str:
        channels = b.shape(x).channels
        match self.kind:
            case "conv":
                return b.conv_bn(x, out, self.kernel, stride, function=self.activation)
            case "separable_conv":
                x = b.conv_bn(x, channels, self.kernel, stride, groups=channels, function=self.activation)
                return b.conv_bn(x, out, function=self.activation)
            case "inverted_residual":
                return self._inverted_residual(b, x, out, stride)
            case "max_pool":
                return b.max_pool(x, *self._window(b.shape(x), stride))
            case "avg_pool":
                return b.avg_pool(x, *self._window(b.shape(x), stride))
            case _:
                return x

    def _window(self, shape: Shape, stride: int) -> tuple[int, int, int]:
        """Kernel, stride and padding; on a single row or column (reduced networks only) a kernel of 2 becomes 1."""
        kernel = min(self.kernel, shape.height, shape.width) if self.kernel == 2 else self.kernel
        return kernel, stride, (kernel - 1) // 2

    def _inverted_residual(self, b: BlueprintBuilder, x: str, out: int, stride: int) -> str:
        channels = b.shape(x).channels
        hidden = self.hidden_channels(channels)
        y = x if hidden == channels else b.conv_bn(x, hidden, function=self.activation)
        y = b.conv_bn(y, hidden, self.kernel, stride, groups=hidden, function=self.activation)
        if self.squeeze_excitation:
            squeezed = max(1, floor(hidden * self.squeeze_excitation + 0.5))
            gate = b.activation(b.conv2d(b.global_avg_pool(y), squeezed, bias=True), "relu")
            y = b.multiply(y, b.activation(b.conv2d(gate, hidden, bias=True), "hard_sigmoid"))
        y = b.conv_bn(y, out, function=None)
        return b.add([x, y]) if stride == 1 and out == channels else y


@dataclass(frozen=True)
class Option:
    """One option of a layer: a block, or the width that a virtual layer sets. ``path`` is where the user wrote it."""

    label: str
    path: str
    block: Block | None = None
    virtual: int | None = None

    def scaled(self, factor: float) -> Option:
        """The option with its widths multiplied."""
        block = self.block.scaled(factor) if self.block else None
        return replace(self, block=block, virtual=_scaled(self.virtual, factor))


@dataclass(frozen=True)
class Layer:
    """One decision; ``default`` is the label that the user chose as default, if any."""

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
        """The network of one option a layer."""
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
        """The head's convolution, global average pooling, dropout and the classifier."""
        with b.part("head"):
            x = b.global_avg_pool(self.head.append(b, x) if self.head else x)
            return b.linear(b.dropout(x, self.dropout) if self.dropout else x, b.spec.classes)

    def scaled(self, factor: float) -> Chain:
        """The chain with every width multiplied by ``factor``."""
        layers = (replace(la, options=tuple(option.scaled(factor) for option in la.options)) for la in self.layers)
        stem, head = (block.scaled(factor) if block else None for block in (self.stem, self.head))
        return replace(self, layers=tuple(layers), stem=stem, head=head)


def _scaled(width: int | None, factor: float) -> int | None:
    return None if width is None else max(1, floor(width * factor + 0.5))
