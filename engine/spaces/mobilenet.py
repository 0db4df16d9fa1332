"""LayerNAS's four MobileNet spaces (appendices E.3 and H), with the tables of `engine.spaces.mobile_tables`.

A network has these parts, in this order:

- a fixed stem;
- a bneck without expansion, which chooses its output filters;
- blocks: first a *virtual layer* that chooses the output filters of all bnecks in the block, then the bnecks, which
  choose their kernel and expanded filters;
- in the V2 spaces, a last bneck, which chooses output and expanded filters together;
- in the V3 spaces, a 1x1 convolution before the pool;
- a 1x1 convolution after the pool, and the classifier.

A bneck is the inverted residual of `engine.spaces.chain`; with squeeze-excitation, all bnecks have a gate. All
convolutions have batch norm, also those after the pool.

Options are ordered by the multiply-adds of their layer, counted for the paper's images with all layers above at their
largest option. So the order, and with it the meaning of an architecture, does not depend on the images of a search.
The default of every layer is its largest option.

Names join the chosen labels by ``-``: ``f`` output filters, ``k`` kernel, ``e`` expanded filters
(``f16-f28-k3_e144-...-f864-f1536``).

**Reduced network (MOTE).** As for chains: all widths are multiplied by a quarter of ``channels`` divided by the stem's
16 or 32 filters, or by the next larger factor that keeps all options different.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from itertools import islice, product

from engine.blueprint import InputSpec
from engine.config.spaces import MobileNetOptions
from engine.errors import ConfigError
from engine.space import Architecture
from engine.spaces.chain import LayeredSpace
from engine.spaces.chain_blocks import Block, Chain, Layer, Option
from engine.spaces.fragments import measure
from engine.spaces.mobile_tables import MOBILE_TABLES, Bnecks, MobileTable

PATH = "space.variant"
PAPER_SPEC = InputSpec(3, 224, 224, 1001)
"""ImageNet's images and classes as the paper counts them."""
CANDIDATES_A_LAYER = 300
"""Models that LayerNAS keeps for each layer in the paper's bound on trials: 100 buckets of 3."""


class MobileNetSpace(LayeredSpace):
    """One of the four spaces; raises ConfigError at ``space.variant`` if the images are too small for its strides."""

    kind = "mobilenet"
    fixed_order = "a block's filters are chosen before the layers that share them (LayerNAS, appendix E.3)"

    def __init__(self, options: MobileNetOptions, spec: InputSpec) -> None:
        self.table = MOBILE_TABLES[options.variant]
        chain = _chain(options)
        least = _least_side(chain)
        if min(spec.height, spec.width) < least:
            raise ConfigError.at(
                PATH,
                f"{self.table.label} needs images of at least {least}x{least}, not {spec.height}x{spec.width}; "
                f"set the data set's image size to {least} or more, or choose another space.",
            )
        super().__init__(chain, spec, ordered=True)

    @property
    def max_trials(self) -> int:
        """The paper's bound on LayerNAS's trials.

        In every layer, `CANDIDATES_A_LAYER` models each try all options of the next layer.
        """
        return CANDIDATES_A_LAYER * sum(len(self.options((0,) * layer)) for layer in range(self.depth))

    def published(self) -> Architecture:
        """The model that the paper found in this space."""
        table = self.table
        published = self.table.published
        rows = iter(published.bnecks)
        labels = [f"f{next(rows)[1]}"]
        for stage in table.stages:
            block = list(islice(rows, len(list(_each(stage.bnecks)))))
            labels += [f"f{block[0][1]}", *(f"k{kernel}_e{expanded}" for kernel, _, expanded in block)]
        labels += [f"k{kernel}_f{filters}_e{expanded}" for kernel, filters, expanded in rows]
        labels += [f"f{filters}" for filters in published.heads[len(table.unpooled) == 1 :]]
        return self.from_string("-".join(labels))


@cache
def _chain(options: MobileNetOptions) -> Chain:
    """Return the space's chain, with the options of every layer from most to least costly for the paper's images."""
    rows = _Rows(MOBILE_TABLES[options.variant], options)
    shape = measure(PAPER_SPEC.shape, rows.stem.append)[1]
    virtual: int | None = None
    layers: list[Layer] = []
    for name, listed in rows.layers():
        if listed[0].block is None:
            layers.append(Layer(name, PATH, listed))
            virtual = listed[0].virtual
            continue
        measured = {o: measure(shape, partial(o.block.append, virtual=virtual)) for o in listed if o.block}
        ordered = sorted(measured, key=lambda option: measured[option][0].madds, reverse=True)
        layers.append(Layer(name, PATH, tuple(ordered)))
        shape = measured[ordered[0]][1]
    return Chain(tuple(layers), rows.stem)


class _Rows:
    """The layers of a table, in the table's order."""

    def __init__(self, table: MobileTable, options: MobileNetOptions) -> None:
        self._table = table
        self._activation = options.activation
        self._gate = 1 / table.squeeze if options.squeeze_excitation else 0.0
        self.stem = Block("conv", self._activation, 3, 2, table.stem)

    def layers(self) -> Iterator[tuple[str, tuple[Option, ...]]]:
        table = self._table
        blocks = {f"f{f}": self._bneck(3, table.first_stride, width=f, expansion=1.0) for f in table.first}
        yield "bneck 1", _options(blocks)
        for number, stage in enumerate(table.stages, start=2):
            yield f"block {number} filters", tuple(Option(f"f{f}", PATH, virtual=f) for f in stage.filters)
            for row, (bnecks, stride) in enumerate(_each(stage.bnecks), start=1):
                pairs = product(bnecks.kernels, bnecks.expand)
                blocks = {f"k{k}_e{e}": self._bneck(k, stride, hidden=e) for k, e in pairs}
                yield f"bneck {number}.{row}", _options(blocks)
        if table.last:
            triples = product(table.last_kernels, table.last)
            blocks = {f"k{k}_f{f}_e{e}": self._bneck(k, 1, width=f, hidden=e) for k, (f, e) in triples}
            yield f"bneck {len(table.stages) + 2}", _options(blocks)
        if len(table.unpooled) > 1:
            yield "head", _options({f"f{f}": Block("conv", self._activation, width=f) for f in table.unpooled})
        fixed = table.unpooled[0] if len(table.unpooled) == 1 else None
        blocks = {f"f{f}": Block("pooled_conv", self._activation, width=f, hidden=fixed) for f in table.pooled}
        yield "pooled head", _options(blocks)

    def _bneck(
        self, kernel: int, stride: int, width: int | None = None, hidden: int | None = None, expansion: float = 6.0
    ) -> Block:
        return Block("inverted_residual", self._activation, kernel, stride, width, expansion, hidden, self._gate)


def _each(parts: tuple[Bnecks, ...]) -> Iterator[tuple[Bnecks, int]]:
    """Yield every layer of a block with its stride."""
    for part in parts:
        yield part, part.stride
        yield from [(part, 1)] * (part.times - 1)


def _options(blocks: dict[str, Block]) -> tuple[Option, ...]:
    return tuple(Option(label, PATH, block) for label, block in blocks.items())


def _least_side(chain: Chain) -> int:
    """Return the smallest side of an image for which every stride of 2 (rounding up) meets at least two pixels."""
    blocks = [chain.stem, *(layer.options[0].block for layer in chain.layers)]
    halvings = sum(block.stride == 2 for block in blocks if block)
    return (1 << (halvings - 1)) + 1
