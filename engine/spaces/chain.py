"""Chain spaces that users define, as YAML or JSON.

```yaml
name: small                    # shown on pages only
activation: relu               # relu, relu6, gelu, swish, hard_swish, sigmoid, hard_sigmoid; default relu
stem: {width: 16, kernel: 3, stride: 1}        # convolution before the layers; optional
layers:                        # 1 to 100 decisions, from the image to the classifier
  - name: first                # shown on pages; default "layer 1", "layer 2", ...
    stride: 2                  # for every option without a stride of its own; default 1
    options:                   # 1 to 1,000, either as a list with labels ...
      - {label: wide, block: conv, width: 32, kernel: 3}
      - {label: narrow, block: conv, width: 16}
  - virtual: width             # sets the width of all blocks below that have no width of their own,
    options: [32, 24, 16]      # up to the next virtual layer; labels w32, w24, w16 (or label: width)
  - name: second
    repeat: 2                  # the chosen block twice, its stride on the first
    default: ir_k3_x3          # o of LayerNAS; without it the costliest option
    options:                   # ... or as a mapping from label to block
      ir: {block: inverted_residual, kernel: [3, 5], expansion: [3, 6]}   # lists: ir_k3_x3, ir_k3_x6, ...
  - name: third
    options: {plain: conv, pool: avg_pool, skip: identity}                # only a name: all fields at their defaults
head: {width: 64, dropout: 0.2}                # 1x1 convolution before global pooling, dropout; both optional
```

=================  ==================================================================================================
block              fields (default) and what is built
=================  ==================================================================================================
conv               kernel (3), width, stride: convolution, batch norm, activation
separable_conv     kernel (3), width, stride: depthwise, then 1x1 convolution, each with batch norm and activation
inverted_residual  kernel (3), width, stride, expansion (6) or hidden, squeeze_excitation (0): 1x1 convolution to
                   ``expansion`` times the input channels, or to ``hidden`` channels (omitted when the number stays
                   the same); depthwise convolution; a squeeze-and-excitation gate whose inner width is that share of
                   the channels; 1x1 convolution to the width. With stride 1 and equal widths the input is added
                   (residual shortcut)
max_pool,          kernel (3; 2 or odd), stride
avg_pool
identity           returns the map unchanged
=================  ==================================================================================================

Without ``width`` a block takes the width of the virtual layer above it; without a virtual layer it keeps the number of
input channels. Pools and identity always keep the number of channels, so below a virtual layer they are refused if the
input has another width. Identity cannot have a stride. Blocks with convolutions also take an ``activation`` of their
own. Kernels are odd and padded by half, so that only strides make maps smaller. A stride larger than the map is
refused. A field given as a list makes one option for each value, or for each combination of values. The values are
appended to the label: k kernel, x expansion, h hidden, w width, s stride, se percent of squeeze-excitation.

An architecture's name is its labels joined by ``-``: ``wide-w32-ir_k3_x3-skip``. Pages list options by cost; names do
not depend on that order.

**Reduced network (MOTE).** The same chain with all widths (stem, blocks, hidden, virtual, head) multiplied by one
factor of at most 1. With this factor the stem is a quarter of ``channels`` wide: 8 for MOTE's 32 channels, as in its
own reduction of MobileNetV3. Without a stem, the factor applies to the largest width of the first layer that names a
width. Kernels, depth, strides and expansions do not change. If rounding makes two options of a layer equal, the factor
grows until all options differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from engine.blueprint import Blueprint, InputSpec
from engine.config.spaces import ChainOptions
from engine.cost import Cost
from engine.space import Architecture, State
from engine.spaces.chain_blocks import Chain
from engine.spaces.chain_parse import parse
from engine.spaces.chain_plan import ChainPlan, ChainState, reduction_factor
from engine.spaces.chained import ChainedSpace
from engine.spaces.fragments import built
from engine.spaces.listed import ListedSpace


class LayeredSpace(ChainedSpace, ListedSpace):
    """The space of a given `Chain`; `ChainPlan` explains ``ordered``."""

    def __init__(self, chain: Chain, spec: InputSpec, ordered: bool = False) -> None:
        plan = ChainPlan(chain, spec, ordered)
        layers = plan.chain.layers
        labels = [[option.label for option in layer.options] for layer in layers]
        definition = _definition(self.kind, plan.chain, plan.defaults)
        super().__init__(spec, [layer.name for layer in layers], labels, plan.defaults, definition)
        self._plan = plan
        self._chain = plan.chain
        self._reduced: dict[int, tuple[float, Chain]] = {}

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self._chain.network(self.spec, architecture.choices)

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        return self._reduction(spec, channels)[1].network(spec, architecture.choices)

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        factor = self._reduction(spec, channels)[0]
        widths = "all widths as they are" if factor == 1 else f"all widths times {factor:.3g}"
        return f"The same layers on smaller images: {widths}; kernels, depth and strides stay."

    def _reduction(self, spec: InputSpec, channels: int) -> tuple[float, Chain]:
        """Return the factor on all widths and the chain with these widths."""
        if channels not in self._reduced:
            factor = reduction_factor(self._chain, self._plan.defaults, spec, channels)
            self._reduced[channels] = factor, self._chain.scaled(factor)
        return self._reduced[channels]

    # --- costs -------------------------------------------------------------------------------------------------
    def initial_state(self) -> tuple[Cost, State]:
        return self._plan.start

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, ChainState)
        return self._plan.steps[layer][state][choice]

    def final_cost(self, state: State) -> Cost:
        assert isinstance(state, ChainState)
        return self._plan.final[state]

    def first_segment(self) -> Blueprint | None:
        stem = self._chain.stem
        return None if stem is None else built(self.spec.shape, stem.append)[0]

    def segment(self, layer: int, state: State, choice: int) -> Blueprint | None:
        assert isinstance(state, ChainState)
        block = self._chain.layers[layer].options[choice].block
        return None if block is None else built(state.shape, partial(block.append, virtual=state.virtual))[0]

    def last_segment(self, state: State) -> Blueprint:
        assert isinstance(state, ChainState)
        return built(state.shape, self._chain.append_head, self.spec.classes)[0]


class ChainSpace(LayeredSpace):
    """The space of a user's definition; ConfigError names every faulty field (``space.definition...``)."""

    kind = "chain"

    def __init__(self, options: ChainOptions, spec: InputSpec) -> None:
        super().__init__(parse(options.definition), spec)
        shared = any(option.virtual for layer in self._chain.layers for option in layer.options)
        self.fixed_order = "a virtual layer's width is chosen before the layers that share it" if shared else None


def _definition(kind: str, chain: Chain, defaults: Sequence[int]) -> str:
    """Return a text that holds the networks' parts and the order of the options.

    Layer names and paths in the document do not change it.
    """
    layers = [
        [[option.label, option.virtual, option.block and asdict(option.block)] for option in layer.options]
        for layer in chain.layers
    ]
    fixed = [part and asdict(part) for part in (chain.stem, chain.head)]
    return json.dumps([kind, layers, list(defaults), fixed, chain.dropout], sort_keys=True)
