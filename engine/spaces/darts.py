"""The cells of DARTS and NAS-Bench-301 (arXiv 1806.09055, 2008.09777).

An architecture is a normal and a reduction cell of four nodes each. A node sums two operations on two *distinct*
earlier tensors. One layer decides one operation and its input: eight layers per cell, 16 in all. The inputs of a node
come in ascending order, so that no cell has two names: the options of a node's second layer depend on the input that
its first layer chose. There are ``prod(C(n, 2) * 7^2, n = 2..5)`` = 1.04e9 cells and 1.08e18 networks.

Names are genotypes as the field writes them: ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6),
reduce=[...], reduce_concat=range(2, 6))``. The default of every layer is ``skip_connect`` from the first allowed input.

**Full network.** A stem, the cells, global pooling, the classifier. The cells at one third and two thirds of the depth
are reduction cells, which double the channels. Both inputs of a cell pass a 1x1 convolution to its width. Drop path and
the auxiliary head, which only training uses, are left out. `DARTS_V2` has 3,349,342 parameters with 20 cells of 36
channels for CIFAR-10 (published 3.3M), 4,718,752 with the large stem, 14 cells and 48 channels for ImageNet (published
4.7M).

**Multiply-adds.** The paper reports 574M for the ImageNet network; our count of convolutions and classifier is 529.9M.
The paper's counting rule was never published (quark0/darts, issue 46, where others got 523M and 544.59M). The
structure does not explain the difference: the authors' code has the same stem, 1x1 convolutions, factorised reductions
and classifier. In that issue a reader counted with ptflops, which adds norms twice, ReLUs once, and pools by their
input; that rule gives 544.588M for our blueprint, equal in all digits given. The auxiliary head (1.6M), which we leave
out, does not explain the difference either: with it this rule gives 546.1M.

**Reduced network (MOTE).** A stem convolution, the normal cell, average pooling by 4 (less on smaller maps), the
reduction cell, the classifier. All nodes have the same width, and both inputs of a cell are the same map.

A network's cost is the sum of the costs of its operations. The state of the cost model is the first input of the node
that is being decided.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from functools import cache, partial
from hashlib import sha256
from math import comb, prod

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import DartsOptions
from engine.cost import Cost, total
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices, State
from engine.spaces.darts_cell import NODES, OPERATIONS, Pair, append_cell, append_operation
from engine.spaces.fragments import fixed_cost, measure, reduced_pooling
from engine.stepped import SteppedSpace

CELLS = ("normal", "reduce")
LAYERS_A_CELL = 2 * NODES
OPEN = -1
"""The state before a node's first layer."""
CONCAT = "range(2, 6)"
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('max_pool_3x3', 1), ('skip_connect', 2)], reduce_concat=range(2, 6))"
)
"""The cells that DARTS (second order) found on CIFAR-10."""


class DartsSpace(SteppedSpace):
    """Both cells in DARTS's network, or in MOTE's reduced one."""

    kind = "darts"

    def __init__(self, options: DartsOptions, spec: InputSpec) -> None:
        super().__init__(spec)
        self._config = options
        self._hash = sha256(json.dumps(options.model_dump(), sort_keys=True).encode()).hexdigest()
        self._names = tuple(
            f"{cell} node {node + 2} {which}"
            for cell in CELLS
            for node in range(NODES)
            for which in ("first", "second")
        )
        thirds = {options.cells // 3, 2 * options.cells // 3}
        self._reductions = [cell in thirds for cell in range(options.cells)]
        self._counted: dict[tuple[bool, str, int], Cost] = {}

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> Sequence[str]:
        return _options(len(prefix), self._first_input(prefix))[0]

    def default_option(self, prefix: Choices) -> int:
        return self.branches(len(prefix), self._first_input(prefix))[1]

    def branches(self, layer: int, state: State) -> tuple[int, int]:
        assert isinstance(state, int)
        pairs = _options(layer, state)[1]
        inputs = len(pairs) // len(OPERATIONS)
        return len(pairs), inputs * OPERATIONS.index("skip_connect")

    def _first_input(self, prefix: Choices) -> int:
        """Return the cost model's state after a prefix."""
        layer = len(prefix)
        return OPEN if layer % 2 == 0 else _options(layer - 1, OPEN)[1][prefix[-1]][1]

    @property
    def size(self) -> int:
        cells = prod(comb(node + 2, 2) * len(OPERATIONS) ** 2 for node in range(NODES))
        return int(cells ** len(CELLS))

    @property
    def content_hash(self) -> str:
        return self._hash

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        normal, reduce = (list(self.pairs(architecture, cell)) for cell in range(len(CELLS)))
        return f"Genotype(normal={normal}, normal_concat={CONCAT}, reduce={reduce}, reduce_concat={CONCAT})"

    def from_string(self, text: str) -> Architecture:
        fields = _parse(text)
        choices: Choices = ()
        for cell in CELLS:
            given = fields[cell]
            if len(given) != LAYERS_A_CELL:
                raise ArchitectureError(f"'{cell}' has {len(given)} pairs; a cell has two for each of its four nodes")
            for node in range(NODES):
                two = sorted(given[2 * node : 2 * node + 2], key=lambda pair: pair[1])
                for pair in two:
                    layer = len(choices)
                    state = self._first_input(choices)
                    pairs = _options(layer, state)[1]
                    if pair not in pairs:
                        raise ArchitectureError(_misfit(cell, node, two))
                    choices = (*choices, pairs.index(pair))
        return self.architecture(choices)

    def pairs(self, architecture: Architecture, cell: int) -> tuple[Pair, ...]:
        """Return the operation and input of each of a cell's eight layers; cell 0 is the normal cell."""
        choices = architecture.choices
        layers = range(LAYERS_A_CELL * cell, LAYERS_A_CELL * (cell + 1))
        return tuple(_options(i, self._first_input(choices[:i]))[1][choices[i]] for i in layers)

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        cells = [self.pairs(architecture, cell) for cell in range(len(CELLS))]
        inputs, shrunk = self._stem(b)
        width = self._config.channels
        for number, reduction in enumerate(self._reductions, start=1):
            width <<= reduction
            name = f"{'reduction' if reduction else 'normal'} cell {number}"
            x = append_cell(
                b, name, inputs, width, cells[reduction],
                first_layer=LAYERS_A_CELL * reduction, reduction=reduction, shrink_first=shrunk,
            )  # fmt: skip
            inputs = (inputs[1], x)
            shrunk = reduction
        b.head(inputs[1])
        return b.build()

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        b = BlueprintBuilder(spec)
        x = b.batch_norm(b.conv2d(b.input, channels, 3))
        normal, reduce = (self.pairs(architecture, cell) for cell in range(len(CELLS)))
        x = append_cell(b, "normal cell", (x, x), channels, normal, first_layer=0, reduction=False)
        with b.part("pool"):
            x = b.avg_pool(x, reduced_pooling(spec))
        b.head(append_cell(b, "reduction cell", (x, x), channels, reduce, first_layer=LAYERS_A_CELL, reduction=True))
        return b.build()

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return (
            f"A convolution of {channels} channels, the normal cell, average pooling by {reduced_pooling(spec)}, the "
            f"reduction cell, the classifier; every node has {channels} channels."
        )

    def _stem(self, b: BlueprintBuilder) -> tuple[tuple[str, str], bool]:
        """Append the stem; return the first cell's two inputs and whether the first is twice as large."""
        width = self._config.channels
        if self._config.stem == "small":
            x = b.batch_norm(b.conv2d(b.input, 3 * width, 3))
            return (x, x), False
        x = b.conv_bn(b.input, max(1, width // 2), 3, stride=2)
        x = b.batch_norm(b.conv2d(x, width, 3, stride=2))
        return (x, b.batch_norm(b.conv2d(b.activation(x), width, 3, stride=2))), True

    # --- costs -------------------------------------------------------------------------------------------------
    def initial_state(self) -> tuple[Cost, State]:
        """Return the cost of everything but the operations: stem, 1x1 convolutions, sums, concatenations, head."""
        return fixed_cost(self.blueprint(self.default())), OPEN

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, int)
        operation, source = _options(layer, state)[1][choice]
        reduction = layer >= LAYERS_A_CELL
        return self._cost(reduction, operation, 2 if reduction and source < 2 else 1), OPEN if layer % 2 else source

    def final_cost(self, state: State) -> Cost:
        return Cost()

    def _cost(self, reduction: bool, operation: str, stride: int) -> Cost:
        """Return the cost of one operation, summed over all cells of its kind (normal or reduction)."""
        key = reduction, operation, stride
        if key not in self._counted:
            append = partial(append_operation, operation=operation, stride=stride)
            shapes = [shape for shape, reduces in self._shapes() if reduces == reduction]
            halved = [Shape(s.channels, -(-s.height // 2), -(-s.width // 2)) for s in shapes]
            inner = halved if reduction and stride == 1 else shapes
            self._counted[key] = total(measure(shape, append)[0] for shape in inner)
        return self._counted[key]

    def _shapes(self) -> list[tuple[Shape, bool]]:
        """Return, for every cell, the shape of its input at the cell's width, and whether it is a reduction cell."""
        b = BlueprintBuilder(self.spec)
        shape = b.shape(self._stem(b)[0][1])
        height = shape.height
        width = shape.width
        channels = self._config.channels
        shapes = []
        for reduction in self._reductions:
            channels <<= reduction
            shapes.append((Shape(channels, height, width), reduction))
            if reduction:
                height, width = -(-height // 2), -(-width // 2)
        return shapes


@cache
def _options(layer: int, first_input: int) -> tuple[tuple[str, ...], tuple[Pair, ...]]:
    """Return the labels and pairs of a layer.

    A node's first layer offers all inputs but the last; its second layer offers the inputs after the first one chosen.
    """
    node, second = divmod(layer % LAYERS_A_CELL, 2)
    inputs = range(first_input + 1, node + 2) if second else range(node + 1)
    pairs = tuple((operation, source) for operation in OPERATIONS for source in inputs)
    return tuple(f"{operation}_{source}" for operation, source in pairs), pairs


def _parse(text: str) -> dict[str, list[Pair]]:
    """Return the lists of pairs of a genotype's two cells."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "Genotype":
            raise ValueError("not a call of Genotype")
        fields = {keyword.arg: keyword.value for keyword in call.keywords}
        read = {cell: [(str(op), int(source)) for op, source in ast.literal_eval(fields[cell])] for cell in CELLS}
        concats = {ast.unparse(fields[f"{cell}_concat"]) for cell in CELLS if f"{cell}_concat" in fields}
    except (KeyError, SyntaxError, TypeError, ValueError, MemoryError, RecursionError) as error:
        raise ArchitectureError(
            f"'{text[:200]}' is no genotype: Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat={CONCAT}, "
            f"reduce=[...], reduce_concat={CONCAT})"
        ) from error
    if concats - {CONCAT, "[2, 3, 4, 5]"}:
        raise ArchitectureError(
            f"the genotype concatenates '{concats.pop()}'; cells of this space concatenate {CONCAT}"
        )
    return read


def _misfit(cell: str, node: int, pairs: Sequence[Pair]) -> str:
    known = ", ".join(OPERATIONS)
    return (
        f"'{cell}', node {node + 2}: {list(pairs)} must be two operations on two distinct tensors of "
        f"0 to {node + 1}, each one of {known}"
    )
