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
from hashlib import sha256

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import NatsSizeOptions
from engine.cost import Cost
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices, State, SteppedSpace
from engine.spaces.fragments import measure, normed_head, preactivated, residual_reduction

WIDTHS = (64, 56, 48, 40, 32, 24, 16, 8)
LAYERS = ("cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3")


class NatsSizeSpace(SteppedSpace):
    """32,768 networks. The state of the cost model is the shape of the layer's input."""

    kind = "nats_size"
    fixed_order = None

    def __init__(self, options: NatsSizeOptions, spec: InputSpec) -> None:
        super().__init__(spec)
        self._labels = tuple(str(width) for width in WIDTHS)
        self._hash = sha256(f"{self.kind}:{options.model_dump_json()}".encode()).hexdigest()

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return LAYERS

    def options(self, prefix: Choices) -> Sequence[str]:
        return self._labels

    def default_option(self, prefix: Choices) -> int:
        return 0

    @property
    def size(self) -> int:
        return int(len(WIDTHS) ** len(LAYERS))

    @property
    def content_hash(self) -> str:
        return self._hash

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        return ":".join(self.labels(architecture))

    def from_string(self, text: str) -> Architecture:
        parts = text.strip().split(":")
        if len(parts) != len(LAYERS):
            raise ArchitectureError(f"'{text}' has {len(parts)} widths joined by ':'; the space has {len(LAYERS)}")
        choices = []
        for name, part in zip(LAYERS, parts, strict=True):
            if part not in self._labels:
                raise ArchitectureError(f"{name}: '{part}' is not one of the widths {', '.join(self._labels)}")
            choices.append(self._labels.index(part))
        return self.architecture(choices)

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
