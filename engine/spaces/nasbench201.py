"""The cell of NAS-Bench-201 and NATS-Bench topology (arXiv 2001.00326, 2009.00437), as LayerNAS searches it.

`engine.spaces.four_tensors` describes the cell, its layers and the order of their options. With five operations there
are three layers of 5, 25 and 125 options (``tensor``), or six of 5 options (``edge``). Names are the benchmark's:
``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``.

Parameters equal the benchmark's tables. The tables' MAdds also count the classifier's bias, so they are larger than
ours by one per class, for all cells on CIFAR-10, CIFAR-100 and ImageNet16-120.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import NasBench201Options
from engine.cost import WHOLE
from engine.space import Architecture
from engine.spaces.four_tensors import FourTensorSpace
from engine.spaces.fragments import built, cell_in_words, measure, normed_head, reduced_pooling, residual_reduction

STAGES = 3


class NasBench201Space(FourTensorSpace):
    """15,625 cells in the benchmark's full network, or in MOTE's reduced one."""

    kind = "nasbench201"
    operation_names = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "none")

    def __init__(self, options: NasBench201Options, spec: InputSpec) -> None:
        self._config = options
        definition = {"kind": self.kind, "form": options.form, "channels": options.channels, "cells": options.cells}
        super().__init__(options.form, spec, definition)
        self._shapes = self._stage_shapes()
        self._fixed: dict[str, int] = {}

    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, self._config.cells)

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, 1)

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

    def cells(self) -> Sequence[tuple[Shape, bool]]:
        return [(shape, False) for shape in self._shapes for _ in range(self._config.cells)]

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

    # --- costs -------------------------------------------------------------------------------------------------
    def whole(self, architecture: Architecture, metric: str) -> int:
        """Return the metric of a network, for which the cell is counted only once if the metric is a largest value.

        The cell is built for a map of one value, and its count is multiplied by the values of the largest map, because
        all maps of a cell have one size and cells hand on a single map. The first cell of a stage holds at least as
        much as the cells that repeat it, whose input may be zeros.
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
        cell = Blueprint(b.spec, b.build().nodes, (result,))  # named, because the last node may be in a dead branch
        return max(self._fixed[metric], rule.count(cell) * max(shape.elements for shape in self._shapes))

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
