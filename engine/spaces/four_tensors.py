"""Cells of four tensors and six edges, as in NAS-Bench-201 and the micro space of TransNAS-Bench-101.

Tensor 0 is the cell's input; every later tensor sums one operation on each earlier tensor. The six edges are searched
either one tensor at a time (``tensor``) or one edge at a time (``edge``). A cell is written
``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``. ``none`` adds nothing to a sum; a tensor whose edges are all ``none`` is zero.
Tensors that do not reach the output are built and counted, as in the benchmarks.

Options are ordered by the cost of a cell's convolutions (a 3x3 counts 9, a 1x1 counts 1), largest first. Ties follow
the order of the space's operations, compared from the first edge on. The default of every edge is ``skip_connect``.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, ClassVar

from engine.blueprint import BlueprintBuilder, InputSpec, Shape
from engine.cost import Cost, total
from engine.errors import ArchitectureError
from engine.space import Architecture, State
from engine.spaces.fragments import (
    factorized_reduce,
    fixed_cost,
    measure,
    preactivated,
)
from engine.spaces.listed import ListedSpace

KERNELS = {"nor_conv_3x3": 3, "nor_conv_1x1": 1}
EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Target and source tensor of every edge, in the order of the string form."""
TENSORS = (1, 2, 3)

Edge = tuple[int, int]


class FourTensorSpace(ListedSpace):
    """A space of cells that are stacked in a fixed network.

    The state of the cost model is the number of maps that the tensor being chosen sums so far.
    """

    fixed_order = None
    operation_names: ClassVar[tuple[str, ...]]
    """The operations of an edge, from most to least costly."""

    def __init__(self, form: str, spec: InputSpec, definition: Mapping[str, Any]) -> None:
        """Take the ``form`` of the layers, and everything that defines the space except ``spec``."""
        self._layers: tuple[tuple[Edge, ...], ...] = tuple((edge,) for edge in EDGES)
        names = [f"edge {source}-{target}" for target, source in EDGES]
        if form == "tensor":
            self._layers = tuple(tuple(e for e in EDGES if e[0] == target) for target in TENSORS)
            names = [f"tensor {target}" for target in TENSORS]
        self._choices = [_ordered(self.operation_names, len(edges)) for edges in self._layers]
        labels = [["__".join(operations) for operations in choices] for choices in self._choices]
        skips = [("skip_connect",) * len(edges) for edges in self._layers]
        defaults = [choices.index(skip) for choices, skip in zip(self._choices, skips, strict=True)]
        super().__init__(spec, names, labels, defaults, json.dumps(definition, sort_keys=True))

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        operations = self.operations(architecture)
        rows = ("".join(f"{operations[(t, source)]}~{source}|" for source in range(t)) for t in TENSORS)
        return "+".join(f"|{row}" for row in rows)

    def from_string(self, text: str) -> Architecture:
        rows = text.strip().split("+")
        if len(rows) != len(TENSORS):
            raise ArchitectureError(f"'{text}' has {len(rows)} parts joined by '+'; a cell has 3, one per new tensor")
        operations = {}
        for target, row in enumerate(rows, start=1):
            parts = row.split("|")
            if len(parts) != target + 2 or parts[0] or parts[-1]:
                raise ArchitectureError(
                    f"tensor {target}: '{row}' must have {target} parts 'op~source' between bars: |...|"
                )
            for source, part in enumerate(parts[1:-1]):
                operation, _, given = part.partition("~")
                if given != str(source) or operation not in self.operation_names:
                    known = ", ".join(self.operation_names)
                    raise ArchitectureError(f"tensor {target}: '{part}' must be 'op~{source}' with op one of {known}")
                operations[(target, source)] = operation
        return self.of_operations(operations)

    def of_operations(self, operations: Mapping[Edge, str]) -> Architecture:
        """Return the architecture with these operations, one for every edge ``(target, source)``."""
        chosen = (tuple(operations[edge] for edge in edges) for edges in self._layers)
        return self.architecture([index["__".join(ops)] for index, ops in zip(self._index, chosen, strict=True)])

    def operations(self, architecture: Architecture) -> dict[Edge, str]:
        """Return the operation of every edge ``(target, source)``."""
        chosen: dict[Edge, str] = {}
        for edges, choices, choice in zip(self._layers, self._choices, architecture.choices, strict=True):
            chosen.update(zip(edges, choices[choice], strict=True))
        return chosen

    def decisions(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the six operations, no matter how many of them one layer decides."""
        operations = self.operations(architecture)
        return tuple(operations[edge] for edge in EDGES)

    # --- networks ----------------------------------------------------------------------------------------------
    def _cell(self, b: BlueprintBuilder, x: str, architecture: Architecture, group: str, halves: bool = False) -> str:
        """Append a cell that keeps its input's shape or, if it ``halves``, halves the map and doubles the channels."""
        tensors = [x]
        inputs: list[str] = []
        for layer, edges in enumerate(self._layers):
            with b.part(group, layer):
                for edge, operation in zip(edges, self._choices[layer][architecture.choices[layer]], strict=True):
                    inputs += _edge(b, tensors[edge[1]], operation, halves and edge[1] == 0)
                    if _completes(edge):
                        tensors.append(b.add(inputs) if inputs else _nothing(b, x, halves))
                        inputs = []
        return tensors[-1]

    # --- costs -------------------------------------------------------------------------------------------------
    @abstractmethod
    def cells(self) -> Sequence[tuple[Shape, bool]]:
        """Return every cell of the full network as the shape of its input, and whether it halves the map."""

    def initial_state(self) -> tuple[Cost, State]:
        """Return the cost of everything but the cells, whose shapes do not depend on any choice."""
        return fixed_cost(self.blueprint(self.default())), 0

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, int)
        edges = self._layers[layer]
        operations = self._choices[layer][choice]
        summed = state + sum(operation != "none" for operation in operations)
        completes = _completes(edges[-1])
        costs: list[Cost] = []
        for (shape, halves), times in Counter(self.cells()).items():
            result = measure(shape, partial(_nothing, halves=halves))[1]
            for (_, source), operation in zip(edges, operations, strict=True):
                if operation != "none":
                    strided = halves and source == 0
                    costs += [measure(result if source else shape, partial(_append, operation, strided))[0]] * times
            if completes:
                append = partial(_sum, summed) if summed else partial(_nothing, halves=halves)
                costs += [measure(result if summed else shape, append)[0]] * times
        return total(costs), 0 if completes else summed

    def final_cost(self, state: State) -> Cost:
        return Cost()


def _ordered(names: Sequence[str], edges: int) -> list[tuple[str, ...]]:
    """Return all combinations of operations on ``edges`` edges, the costliest first.

    The sort is stable, so ties follow the order of ``names``.
    """
    weight = {name: KERNELS.get(name, 0) ** 2 for name in names}
    return sorted(product(names, repeat=edges), key=lambda chosen: -sum(weight[operation] for operation in chosen))


def _completes(edge: Edge) -> bool:
    """Return whether this is the last edge into its target."""
    return edge[1] == edge[0] - 1


def _edge(b: BlueprintBuilder, source: str, operation: str, halves: bool) -> list[str]:
    """Return a list of the map that an operation makes from a source; it is empty for ``none``."""
    return [] if operation == "none" else [_append(operation, halves, b, source)]


def _append(operation: str, halves: bool, b: BlueprintBuilder, source: str) -> str:
    """Append an operation that is not ``none``; one that ``halves`` the map has stride 2 and twice the channels.

    No space with cells that halve the map has a pooling operation.
    """
    stride = 2 if halves else 1
    width = b.shape(source).channels * stride
    if operation in KERNELS:
        return preactivated(b, source, width, KERNELS[operation], stride)
    if operation == "avg_pool_3x3":
        return b.avg_pool(source, 3, stride=1, padding=1)
    return factorized_reduce(b, source, width) if halves else source


def _nothing(b: BlueprintBuilder, x: str, halves: bool) -> str:
    """Append the tensor that sums nothing: zeros in the shape of the cell's output."""
    return b.concat([b.zeros(x, stride=2)] * 2) if halves else b.zeros(x)


def _sum(number: int, b: BlueprintBuilder, x: str) -> str:
    return b.add([x] * number)
