"""The micro space of TransNAS-Bench-101 (arXiv 2105.11871): 4,096 cells in a fixed network of five modules.

`engine.spaces.four_tensors` describes the cell, its layers and the order of their options, and
`engine.spaces.transnas_skeleton` the network around it. With four operations there are three layers of 4, 16 and 64
options (``tensor``), or six of 4 options (``edge``).

**Names** are the benchmark's: in ``64-41414-1_02_333``, 64 is the width, 41414 are the modules, and each part of
``1_02_333`` lists the operations into one tensor: 0 none, 1 skip, 2 a 1x1 and 3 a 3x3 convolution. The notation of
NAS-Bench-201 (``|skip_connect~0|+...``) is read, too.

**Full network.** The modules 1, 3 and 5 double the channels and halve the map: in their first cell the edges from the
cell's input have stride 2, and a skip becomes DARTS's factorised reduction. All other cells keep their map. The
benchmark's authors publish this network as source code; we follow the code.

**Reduced network (MOTE).** A convolution, a cell that keeps its map, a cell that halves it and doubles the channels,
and the classifier. In NAS-Bench-201's reduction no cell halves the map, so a skip would never have weights, and cells
that differ here would be the same network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import TransNasMicroOptions
from engine.errors import ArchitectureError
from engine.space import Architecture
from engine.spaces.four_tensors import TENSORS, FourTensorSpace
from engine.spaces.fragments import measure
from engine.spaces.transnas_skeleton import BLOCKS, append_stem, halves, split_name

MODULES = "41414"
CODES = {"nor_conv_3x3": "3", "nor_conv_1x1": "2", "skip_connect": "1", "none": "0"}
OPERATION_OF = {code: operation for operation, code in CODES.items()}


class TransNasMicroSpace(FourTensorSpace):
    """The cells in the benchmark's full network, or in MOTE's reduced one."""

    kind = "transnas_micro"
    operation_names = tuple(CODES)

    def __init__(self, options: TransNasMicroOptions, spec: InputSpec) -> None:
        self._width = options.channels
        super().__init__(options.form, spec, options.model_dump())
        self._cells = self._shapes_of_cells()

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        operations = self.operations(architecture)
        rows = ("".join(CODES[operations[(t, source)]] for source in range(t)) for t in TENSORS)
        return f"{self._width}-{MODULES}-{'_'.join(rows)}"

    def from_string(self, text: str) -> Architecture:
        if "|" in text:
            return super().from_string(text)
        modules, cell = split_name(text, self._width, f"{self._width}-{MODULES}-1_02_333")
        if modules != MODULES:
            raise ArchitectureError(f"'{text}': the modules '{modules}' are not those of this space, {MODULES}")
        rows = cell.split("_")
        if [len(row) for row in rows] != list(TENSORS) or set("".join(rows)) - OPERATION_OF.keys():
            raise ArchitectureError(
                f"'{text}': the cell '{cell}' must be 1, 2 and 3 digits joined by '_', each of them 0 (none), "
                "1 (skip), 2 (1x1 convolution) or 3 (3x3 convolution)"
            )
        return self.of_operations(
            {
                (t, source): OPERATION_OF[code]
                for t, row in zip(TENSORS, rows, strict=True)
                for source, code in enumerate(row)
            }
        )

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, repeats=True)

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network without the modules that keep their map, whose cells repeat the one before them."""
        return self._network(architecture, repeats=False)

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        b = BlueprintBuilder(spec)
        x = b.batch_norm(b.conv2d(b.input, channels, 3))
        x = self._cell(b, x, architecture, "cell 1")
        b.head(self._cell(b, x, architecture, "cell 2", halves=True))
        return b.build()

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return (
            f"A convolution of {channels} channels, the cell, the cell again with half the map and {2 * channels} "
            "channels, the classifier."
        )

    def cells(self) -> Sequence[tuple[Shape, bool]]:
        return self._cells

    def _network(self, architecture: Architecture, *, repeats: bool) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        x = append_stem(b, b.input, self._width)
        for module, cell, halving in _places():
            if repeats or halves(MODULES[module]):
                x = self._cell(b, x, architecture, f"module {module + 1} cell {cell + 1}", halving)
        b.head(x)
        return b.build()

    def _shapes_of_cells(self) -> list[tuple[Shape, bool]]:
        """Return the shape of every cell's input, and whether the cell halves it."""
        shape = measure(self.spec.shape, lambda b, x: append_stem(b, x, self._width))[1]
        shapes = []
        for _, _, halving in _places():
            shapes.append((shape, halving))
            if halving:
                shape = Shape(2 * shape.channels, -(-shape.height // 2), -(-shape.width // 2))
        return shapes


def _places() -> Iterator[tuple[int, int, bool]]:
    """Yield the module and the number of every cell, and whether the cell halves the map."""
    for module, code in enumerate(MODULES):
        for cell in range(BLOCKS):
            yield module, cell, halves(code) and cell == 0
