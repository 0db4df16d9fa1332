"""The cells of NAS-Bench-101 (Ying et al. 2019, arXiv 1902.09635), searched edge by edge (LayerNAS, appendix B).

A cell is a graph of at most 7 vertices and 9 edges. Every interior vertex applies one of three operations to the sum
of its inputs; the output concatenates its inputs. A cell begins as the single edge from input to output. Each of the
eight layers adds one edge, either a new operation on an edge or a connection of two vertices
(`engine.spaces.nasbench101_growth`), or stops. Stopping is the default; after a stop all later layers stop.

**Size.** Every cell can be grown in only one way, so the space has exactly the benchmark's 423,624 cells, each once: 1,
6, 84, 2,441, 62,010 and 359,082 cells of 2 to 7 vertices. Random cells are drawn as random matrices, as in the
benchmark's own example. This makes larger cells more likely than drawing layer by layer would.

**Names** describe the pruned cell: the interior operations, then the rows of the upper triangle, as in
``conv3x3-bn-relu,maxpool3x3:110/10/1`` (edges from the input to both vertices, from the first vertex to the second, and
from the second to the output). A cell may be given with its vertices in any order; its name always uses one order. If
the output's channels do not divide evenly, the first vertices get one channel more. So a cell that the benchmark lists
in another order may differ from the benchmark by a few parameters.

**Full network.** A 3x3 convolution of 128 channels; three stacks of three cells, with a 2x2 max-pool and a doubling of
the channels between stacks; global pooling; the classifier. An edge from the input is a 1x1 convolution. Every
convolution has batch norm and ReLU.

**Reduced network (MOTE).** A convolution, the cell, average pooling by 4 (less on smaller maps), the cell again, the
classifier; all have the same width.

Cost intervals are conservative for unfinished cells (`engine.spaces.nasbench101_costs`) and exact for finished ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from operator import add
from random import Random

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec
from engine.config.spaces import NasBench101Options
from engine.cost import COUNTS, MILLION, Cost, Counts, node_cost, total
from engine.errors import ArchitectureError
from engine.operators import Operator
from engine.space import Architecture, Choices, SearchSpace
from engine.spaces.fragments import cell_in_words, reduced_pooling
from engine.spaces.nasbench101_costs import CellCosts, Position, projection, vertex_operation
from engine.spaces.nasbench101_graph import INPUT, MAX_EDGES, OUTPUT, Matrix, Rows, vertex_channels
from engine.spaces.nasbench101_growth import Child, Edit, Graph, children, fingerprint, graph_of, path, random_graph

STACKS = 3
STOP = "stop"
CELLS = 423_624
MOST_OPTIONS = (4, 7, 11, 16, 22, 27, 22, 22)
"""The largest number of options that each layer has in any cell, including the stop; like `CELLS`, a stored count."""


class NasBench101Space(SearchSpace):
    """The cells in the benchmark's full network, or in MOTE's reduced one."""

    kind = "nasbench101"

    def __init__(self, options: NasBench101Options, spec: InputSpec) -> None:
        super().__init__(spec)
        self._config = options
        self._names = tuple(f"edge {number}" for number in range(2, MAX_EDGES + 1))
        # The fingerprints decide what a choice means.
        definition = [options.model_dump(), *(fingerprint(child.graph) for child in children(Graph()))]
        self._hash = sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> Sequence[str]:
        graph, stopped = _grown(prefix)
        return (STOP,) if stopped else (*(child.edit.label for child in children(graph)), STOP)

    def default_option(self, prefix: Choices) -> int:
        graph, stopped = _grown(prefix)
        return 0 if stopped else len(children(graph))

    def option_counts(self) -> tuple[int, ...]:
        return MOST_OPTIONS

    @property
    def size(self) -> int:
        return CELLS

    @property
    def content_hash(self) -> str:
        return self._hash

    def sample(self, rng: Random) -> Architecture:
        """Return a cell drawn as in the benchmark's example: a random matrix and random operations."""
        return self._of(random_graph(rng))

    def changed(self, choices: Choices, layer: int, option: int) -> Choices:
        """Return the cell with another edit at one layer, followed by all later edits that still fit."""
        graph, stopped = _grown((*choices[:layer], option))
        if not stopped:
            for edit in _edits(choices)[layer + 1 :]:
                graph = graph.edited(edit) or graph
        return self._of(graph).choices

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        matrix, ops = self.matrix(architecture)
        rows = ("".join(map(str, row[u + 1 :])) for u, row in enumerate(matrix[:-1]))
        return f"{','.join(ops[1:-1])}:{'/'.join(rows)}"

    def from_string(self, text: str) -> Architecture:
        names, _, triangle = text.strip().partition(":")
        ops = [INPUT, *(names.split(",") if names else ()), OUTPUT]
        rows = triangle.split("/")
        wanted = range(len(ops) - 1, 0, -1)
        if [len(row) for row in rows] != list(wanted) or set("".join(rows)) - {"0", "1"}:
            raise ArchitectureError(
                f"'{text}' is not a cell: write its operations joined by ',', a ':' and rows of "
                f"{', '.join(map(str, wanted))} digits 0 and 1 joined by '/'"
            )
        matrix = [[0] * (u + 1) + [int(digit) for digit in row] for u, row in enumerate([*rows, ""])]
        return self.from_matrix(matrix, ops)

    def matrix(self, architecture: Architecture) -> tuple[Matrix, tuple[str, ...]]:
        """Return the cell as the benchmark writes it: adjacency matrix, and operations with input and output."""
        return _grown(architecture.choices)[0].matrix()

    def from_matrix(self, matrix: Rows, ops: Sequence[str]) -> Architecture:
        """Return the architecture of a cell as the benchmark writes it, with its vertices in any order."""
        return self._of(graph_of(matrix, ops))

    def _of(self, graph: Graph) -> Architecture:
        return self.complete(path(graph))

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        x = b.conv_bn(b.input, self._config.channels, 3)
        for stack in range(STACKS):
            if stack:
                with b.part(f"pool {stack}"):
                    x = _halved(b, x)
            for cell in range(self._config.cells):
                x = self._cell(b, x, architecture, self._config.channels << stack, f"stack {stack + 1} cell {cell + 1}")
        b.head(x)
        return b.build()

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        b = BlueprintBuilder(spec)
        x = self._cell(b, b.batch_norm(b.conv2d(b.input, channels, 3)), architecture, channels, "cell 1")
        with b.part("pool"):
            x = b.avg_pool(x, reduced_pooling(spec))
        b.head(self._cell(b, x, architecture, channels, "cell 2"))
        return b.build()

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return cell_in_words(spec, channels)

    def _cell(self, b: BlueprintBuilder, x: str, architecture: Architecture, width: int, group: str) -> str:
        """Append the cell; nodes belong to the layer that added their vertex, sums to the layer of their last edge."""
        graph = _grown(architecture.choices)[0]
        matrix, ops = graph.matrix()
        order = graph.order()
        vertices, edges = _layers(architecture.choices)
        channels = vertex_channels(matrix, b.shape(x).channels, width)
        last = len(ops) - 1
        tensors = [x]
        for t in range(1, last + 1):
            sources = [u for u in range(1, t) if matrix[u][t]]
            entering = {u: edges.get((order[u], order[t])) for u in (0, *sources) if matrix[u][t]}
            latest = max((layer for layer in entering.values() if layer is not None), default=None)
            inputs = []
            for u in sources:
                with b.part(group, entering[u]):
                    inputs.append(tensors[u] if t == last else b.truncate(tensors[u], channels[t]))
            if t == last and sources:
                with b.part(group, latest):
                    inputs = [b.concat(inputs)]
            if matrix[0][t]:
                with b.part(group, entering[0]):
                    inputs.append(projection(b, x, channels[t]))
            with b.part(group, latest):
                summed = b.add(inputs)
            if t < last:
                with b.part(group, vertices[order[t]]):
                    summed = vertex_operation(b, summed, ops[t])
            tensors.append(summed)
        return tensors[-1]

    # --- costs -------------------------------------------------------------------------------------------------
    def cost(self, architecture: Architecture) -> Cost:
        cells = self._cells.exact(*self.matrix(architecture))
        return Cost.of(map(add, cells, self._fixed), timed=self.latency is not None)

    def cost_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Return an interval that is conservative while layers are undecided, and exact when all are decided."""
        graph, stopped = _grown(prefix)
        edits = 0 if stopped else max(0, (self.depth if until is None else until) - len(prefix))
        return self._range(graph, metric, edits)

    def child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        graph, stopped = _grown(prefix)
        edits = max(0, (self.depth if until is None else until) - len(prefix) - 1)
        grown = () if stopped else children(graph)
        ranges = [self._range(child.graph, metric, edits) for child in grown]
        return [*ranges, self._range(graph, metric, 0)]

    def operators(self) -> frozenset[Operator]:
        costs = (*self._cells.operators(), self._fixed_cost)
        return frozenset(operator for cost in costs for operator in cost.operators)

    def _range(self, graph: Graph, metric: str, edits: int) -> tuple[float, float]:
        count, weight = COUNTS[metric]
        if edits == 0:
            exact = self._cells.exact(*graph.matrix())
            low = high = exact
        else:
            low, high = self._cells.bounds(graph, edits)
        fixed = self._fixed[count]
        return (low[count] + fixed) * weight / MILLION, (high[count] + fixed) * weight / MILLION

    @cached_property
    def _fixed_cost(self) -> Cost:
        """The cost of stem, pools and head."""
        blueprint = self.blueprint(self.default())
        outside = (node for node in blueprint if not node.group.startswith("stack"))
        return total(node_cost(node, (blueprint[source].shape for source in node.inputs)) for node in outside)

    @cached_property
    def _fixed(self) -> Counts:
        return self._fixed_cost.counts(self.latency)

    @cached_property
    def _cells(self) -> CellCosts:
        """Costs of the cells; computed on first use, because the latency table is set after construction."""
        b = BlueprintBuilder(self.spec)
        x = b.input
        width = self._config.channels
        positions = []
        for stack in range(STACKS):
            x = _halved(b, x) if stack else x
            shape = b.shape(x)
            out = width << stack
            before = out // 2 if stack else out
            positions.append(Position(before, out, shape.height, shape.width, 1))
            positions.append(Position(out, out, shape.height, shape.width, self._config.cells - 1))
        return CellCosts(positions, lambda cost: cost.counts(self.latency))


def _grown(prefix: Choices) -> tuple[Graph, bool]:
    """Return the cell that a prefix has grown, and whether it has stopped growing."""
    graph = Graph()
    for choice in prefix:
        born = children(graph)
        if choice == len(born):
            return graph, True
        graph = born[choice].graph
    return graph, False


def _edits(choices: Choices) -> list[Edit]:
    """Return the edits of a cell, one per layer, up to the stop."""
    graph = Graph()
    edits = []
    for choice in choices:
        born = children(graph)
        if choice == len(born):
            break
        child: Child = born[choice]
        edits.append(child.edit)
        graph = child.graph
    return edits


def _layers(choices: Choices) -> tuple[Mapping[int, int], Mapping[tuple[int, int], int]]:
    """Return the layer that added each vertex and each edge; no layer added the first edge."""
    vertices: dict[int, int] = {}
    edges: dict[tuple[int, int], int] = {}
    for layer, edit in enumerate(_edits(choices)):
        if edit.operation is None:
            edges[edit.u, edit.w] = layer
            continue
        new = len(vertices) + 2
        vertices[new] = layer
        edges.pop((edit.u, edit.w), None)
        edges[edit.u, new] = edges[new, edit.w] = layer
    return vertices, edges


def _halved(b: BlueprintBuilder, x: str) -> str:
    """Append 2x2 max-pooling, or, if a side is odd, 3x3 max-pooling with padding, which rounds it up."""
    shape = b.shape(x)
    even = shape.height % 2 == 0 and shape.width % 2 == 0
    return b.max_pool(x, 2) if even else b.max_pool(x, 3, stride=2, padding=1)
