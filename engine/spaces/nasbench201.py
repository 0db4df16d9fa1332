"""The cell of NAS-Bench-201 and NATS-Bench topology (arXiv 2001.00326, 2009.00437), as LayerNAS searches it.

A cell has four tensors. Tensor 0 is its input; every later tensor sums one operation on each earlier tensor. The six
edges are searched either one tensor at a time (``tensor``: 5, 25 and 125 options) or one edge at a time (``edge``: six
times 5 options). Names are the benchmark's: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``. ``none`` adds nothing to a sum; a
tensor whose edges are all ``none`` is zero. Tensors that do not reach the output are built and counted, as in the
benchmark.

Options are ordered by the cost of a cell's convolutions (a 3x3 counts 9, a 1x1 counts 1), largest first. Ties follow
the order of `OPERATIONS`, compared from the first edge on. The default of every edge is ``skip_connect`` (the
identity).

Parameters equal the benchmark's tables. The tables' MAdds also count the classifier's bias, so they are larger than
ours by one per class, for all cells on CIFAR-10, CIFAR-100 and ImageNet16-120.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from itertools import product

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import NasBench201Options
from engine.cost import WHOLE, Cost, total
from engine.errors import ArchitectureError
from engine.space import Architecture, State
from engine.spaces.fragments import (
    built,
    cell_in_words,
    fixed_cost,
    measure,
    normed_head,
    preactivated,
    reduced_pooling,
    residual_reduction,
)
from engine.spaces.listed import ListedSpace

OPERATIONS = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "none")
KERNELS = {"nor_conv_3x3": 3, "nor_conv_1x1": 1}
EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Target and source tensor of every edge, in the order of the string form."""
STAGES = 3

Edge = tuple[int, int]
Operations = Sequence[str]


class NasBench201Space(ListedSpace):
    """15,625 cells in the benchmark's full network, or in MOTE's reduced one.

    The state of the cost model is the number of maps that the tensor being chosen sums so far (2 means 2 or more).
    """

    kind = "nasbench201"
    fixed_order = None

    def __init__(self, options: NasBench201Options, spec: InputSpec) -> None:
        self._config = options
        self._layers: tuple[tuple[Edge, ...], ...] = tuple((edge,) for edge in EDGES)
        names = [f"edge {source}-{target}" for target, source in EDGES]
        if options.form == "tensor":
            self._layers = tuple(tuple(e for e in EDGES if e[0] == target) for target in (1, 2, 3))
            names = [f"tensor {target}" for target in (1, 2, 3)]
        self._choices = [_ordered(len(edges)) for edges in self._layers]
        labels = [["__".join(operations) for operations in choices] for choices in self._choices]
        skips = [("skip_connect",) * len(edges) for edges in self._layers]
        defaults = [choices.index(skip) for choices, skip in zip(self._choices, skips, strict=True)]
        definition = {"kind": self.kind, "form": options.form, "channels": options.channels, "cells": options.cells}
        super().__init__(spec, names, labels, defaults, json.dumps(definition, sort_keys=True))
        self._shapes = self._stage_shapes()
        self._fixed: dict[str, int] = {}

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        operations = self.operations(architecture)
        rows = ("".join(f"{operations[(t, source)]}~{source}|" for source in range(t)) for t in (1, 2, 3))
        return "+".join(f"|{row}" for row in rows)

    def from_string(self, text: str) -> Architecture:
        rows = text.strip().split("+")
        if len(rows) != STAGES:
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
                if given != str(source) or operation not in OPERATIONS:
                    known = ", ".join(OPERATIONS)
                    raise ArchitectureError(f"tensor {target}: '{part}' must be 'op~{source}' with op one of {known}")
                operations[(target, source)] = operation
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
    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, self._config.cells)

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, 1)

    def _network(self, architecture: Architecture, cells: int) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        x = _stem(b, b.input, self._config.channels)
        for stage in range(STAGES):
            if stage:
                with b.part(f"reduction {stage}"):
                    x = residual_reduction(b, x, self._width(stage))
            for cell in range(cells):
                x = self._cell(b, x, architecture, f"stage {stage + 1} cell {cell + 1}")
        normed_head(b, x)
        return b.build()

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        """Return stem, cell, average pooling by 4 (less on smaller maps), cell and classifier (MOTE, RA)."""
        b = BlueprintBuilder(spec)
        x = self._cell(b, b.batch_norm(b.conv2d(b.input, channels, 3)), architecture, "cell 1")
        with b.part("pool"):
            x = b.avg_pool(x, reduced_pooling(spec))
        b.head(self._cell(b, x, architecture, "cell 2"))
        return b.build()

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return cell_in_words(spec, channels)

    def _cell(self, b: BlueprintBuilder, x: str, architecture: Architecture, group: str) -> str:
        tensors = [x]
        inputs: list[str] = []
        for layer, edges in enumerate(self._layers):
            with b.part(group, layer):
                for edge, operation in zip(edges, self._choices[layer][architecture.choices[layer]], strict=True):
                    inputs += _edge(b, tensors[edge[1]], operation)
                    if _completes(edge):
                        tensors.append(_sum(b, inputs, x))
                        inputs = []
        return tensors[-1]

    # --- costs -------------------------------------------------------------------------------------------------
    def whole(self, architecture: Architecture, metric: str) -> int:
        """Count one cell of single values: all maps of a cell have one size, and cells hand on a single map.

        The first cell of a stage holds no less than its repetitions, which may begin with zeros.
        """
        rule = WHOLE[metric]
        if not rule.largest:
            return super().whole(architecture, metric)
        if metric not in self._fixed:
            segments = [built(self.spec.shape, partial(_stem, width=self._config.channels))]
            segments += [
                built(shape, partial(residual_reduction, width=self._width(stage)))
                for stage, shape in enumerate(self._shapes[:-1], start=1)
            ]
            segments.append(built(self._shapes[-1], normed_head, self.spec.classes))
            self._fixed[metric] = max(rule.count(segment) for segment, _ in segments)
        b = BlueprintBuilder(InputSpec(1, 1, 1))
        result = self._cell(b, b.input, architecture, "cell")
        cell = Blueprint(b.spec, b.build().nodes, (result,))  # where it only skips, dead branches come last
        return max(self._fixed[metric], rule.count(cell) * max(shape.elements for shape in self._shapes))

    def initial_state(self) -> tuple[Cost, State]:
        """Return the cost of everything but the cells, which keep the shape of their input."""
        return fixed_cost(self.blueprint(self.default())), 0

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, int)
        edges = self._layers[layer]
        operations = self._choices[layer][choice]
        summed = state + sum(operation != "none" for operation in operations)
        completes = _completes(edges[-1])

        def append(b: BlueprintBuilder, x: str) -> str:
            inputs = [x] * state
            for operation in operations:
                inputs += _edge(b, x, operation)
            return _sum(b, inputs, x) if completes else x

        cells = [measure(shape, append)[0] for shape in self._shapes for _ in range(self._config.cells)]
        return total(cells), 0 if completes else min(summed, 2)

    def final_cost(self, state: State) -> Cost:
        return Cost()

    def _stage_shapes(self) -> list[Shape]:
        shapes = [Shape(self._config.channels, self.spec.height, self.spec.width)]
        for stage in range(1, STAGES):
            shapes.append(measure(shapes[-1], partial(residual_reduction, width=self._width(stage)))[1])
        return shapes

    def _width(self, stage: int) -> int:
        return self._config.channels << stage


def _stem(b: BlueprintBuilder, x: str, width: int) -> str:
    """Append the convolution in front of the cells."""
    return b.batch_norm(b.conv2d(x, width, 3))


def _ordered(edges: int) -> list[tuple[str, ...]]:
    """Return all combinations of operations on ``edges`` edges, the costliest first.

    The sort is stable, so ties follow the order of `OPERATIONS`.
    """
    weight = {operation: KERNELS.get(operation, 0) ** 2 for operation in OPERATIONS}
    return sorted(product(OPERATIONS, repeat=edges), key=lambda chosen: -sum(weight[operation] for operation in chosen))


def _completes(edge: Edge) -> bool:
    """Whether this is the last edge into its target."""
    return edge[1] == edge[0] - 1


def _edge(b: BlueprintBuilder, source: str, operation: str) -> list[str]:
    """Return a list of the map that an operation makes from a source; it is empty for ``none``."""
    if operation in KERNELS:
        return [preactivated(b, source, b.shape(source).channels, KERNELS[operation])]
    if operation == "avg_pool_3x3":
        return [b.avg_pool(source, 3, stride=1, padding=1)]
    return [source] if operation == "skip_connect" else []


def _sum(b: BlueprintBuilder, inputs: list[str], like: str) -> str:
    """Return a tensor of the cell as the sum of its inputs; without inputs it is zeros shaped like ``like``."""
    return b.add(inputs) if inputs else b.zeros(like)
