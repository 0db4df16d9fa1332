"""Five layers of eight widths, shaped like the size space of NATS-Bench (arXiv 2009.00437).

The network has a convolution and a cell of the first width, a residual reduction to the second width, a cell of the
third, a reduction to the fourth, a cell of the fifth, then batch norm, ReLU, global pooling and the classifier. The
cell is ``|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|``, as in the
benchmark. In a cell that changes the width, the skip is a 1x1 convolution with batch norm. Names are the benchmark's:
the widths joined by ``:``.

Options run from 64 channels (the default) down to 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import NatsSizeOptions
from engine.cost import Cost
from engine.space import Architecture, State
from engine.spaces.chained import ChainedSpace
from engine.spaces.fragments import built, measure, normed_head, preactivated, residual_reduction
from engine.spaces.listed import ListedSpace

WIDTHS = (64, 56, 48, 40, 32, 24, 16, 8)
LAYERS = ("cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3")


class NatsSizeSpace(ChainedSpace, ListedSpace):
    """32,768 networks. The state of the cost model is the shape of the layer's input."""

    kind = "nats_size"
    separator = ":"
    fixed_order = None

    def __init__(self, options: NatsSizeOptions, spec: InputSpec) -> None:
        labels = [[str(width) for width in WIDTHS]] * len(LAYERS)
        super().__init__(spec, LAYERS, labels, [0] * len(LAYERS), f"{self.kind}:{options.model_dump_json()}")

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        return _network(self.spec, [WIDTHS[choice] for choice in architecture.choices])

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        """Return the same network with all widths times ``channels / 64``.

        The factor is at most 1, and at least 1/8 so that all widths differ.
        """
        widest = _widest(channels)
        return _network(spec, [WIDTHS[choice] * widest // WIDTHS[0] for choice in architecture.choices])

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return f"The same network, all widths times {_widest(channels) / WIDTHS[0]:.3g}."

    # --- costs -------------------------------------------------------------------------------------------------
    def initial_state(self) -> tuple[Cost, State]:
        return Cost(), self.spec.shape

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, Shape)
        return measure(state, partial(_layer, layer=layer, width=WIDTHS[choice]))

    def final_cost(self, state: State) -> Cost:
        assert isinstance(state, Shape)
        return measure(state, normed_head, self.spec.classes)[0]

    def first_segment(self) -> None:
        """Return None, because the first layer reads the image."""

    def segment(self, layer: int, state: State, choice: int) -> Blueprint:
        assert isinstance(state, Shape)
        return built(state, partial(_layer, layer=layer, width=WIDTHS[choice]))[0]

    def last_segment(self, state: State) -> Blueprint:
        assert isinstance(state, Shape)
        return built(state, normed_head, self.spec.classes)[0]


def _widest(channels: int) -> int:
    """Return the width that the widest option has in the reduced network."""
    return min(max(channels, WIDTHS[-1]), WIDTHS[0])


def _network(spec: InputSpec, widths: Sequence[int]) -> Blueprint:
    b = BlueprintBuilder(spec)
    x = b.input
    for layer, width in enumerate(widths):
        with b.part(LAYERS[layer], layer):
            x = _layer(b, x, layer, width)
    normed_head(b, x)
    return b.build()


def _layer(b: BlueprintBuilder, x: str, layer: int, width: int) -> str:
    if LAYERS[layer].startswith("reduction"):
        return residual_reduction(b, x, width)
    return _cell(b, b.batch_norm(b.conv2d(x, width, 3)) if layer == 0 else x, width)


def _cell(b: BlueprintBuilder, x: str, width: int) -> str:
    first = preactivated(b, x, width, 3)
    second = b.add([preactivated(b, x, width, 3), preactivated(b, first, width, 3)])
    skip = x if b.shape(x).channels == width else b.batch_norm(b.conv2d(x, width))
    return b.add([skip, preactivated(b, first, width, 3), preactivated(b, second, width, 3)])
