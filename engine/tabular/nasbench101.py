"""NAS-Bench-101's TFRecord file (Ying et al. 2019, arXiv 1902.09635; format of the authors' repository).

A record is JSON, ``[module hash, epochs, adjacency, operations, metrics]``: the matrix as a string of digits, the
operations joined by commas, and a base64 protocol buffer ``ModelMetrics`` of one training. A training has evaluations
at its start, half-way and end; only the last is used. A cell's numbers are means over its trainings of one length. The
hash in the file is checked against the hash of the cell (`engine.spaces.nasbench101_graph`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from statistics import fmean
from typing import Any

from engine.blueprint import InputSpec
from engine.config.spaces import NasBench101Options
from engine.errors import ArchitectureError, DataError, Stopped
from engine.spaces.nasbench101 import NasBench101Space
from engine.spaces.nasbench101_graph import Matrix, graph_hash
from engine.stopping import Stop, never
from engine.tabular.tfrecord import fields, records
from engine.tabular_benchmarks import Row, accuracy, cost, seconds

CIFAR10 = "cifar10"
EVALUATION, PARAMETERS = 1, 2
TRAINING_TIME, VALID_ACCURACY, TEST_ACCURACY = 2, 4, 5


@dataclass
class _Cell:
    matrix: Matrix
    operations: tuple[str, ...]
    parameters: int
    trainings: dict[int, list[dict[int, Any]]] = field(default_factory=dict)
    """The final evaluations, by number of epochs."""


def read(path: Path, stop: Stop = never) -> tuple[int, Iterator[Row]]:
    """Return the number of cells and their rows; the whole file is read first."""
    cells: dict[str, _Cell] = {}
    for number, record in enumerate(records(path)):
        if stop():
            raise Stopped("stopped between two records")
        try:
            _add(cells, record)
        except (DataError, ArchitectureError, ValueError, TypeError, KeyError, IndexError) as error:
            raise DataError(f"'{path.name}': record {number} is not a record of NAS-Bench-101: {error}.") from error
    if not cells:
        raise DataError(f"'{path.name}' contains no records; fetch the file again.")
    return len(cells), _rows(cells, stop)


def _add(cells: dict[str, _Cell], record: bytes) -> None:
    name, epochs, digits, operations, metrics = json.loads(record)
    message = list(fields(base64.b64decode(metrics, validate=True)))
    if name not in cells:
        side = isqrt(len(digits))
        matrix = tuple(tuple(int(digit) for digit in digits[side * u : side * (u + 1)]) for u in range(side))
        cell = _Cell(matrix, tuple(operations.split(",")), next(int(v) for k, v in message if k == PARAMETERS))
        if len(digits) != side * side or graph_hash(cell.matrix, cell.operations) != name:
            raise DataError("its hash does not belong to its cell")
        cells[name] = cell
    evaluations = [dict(fields(value)) for key, value in message if key == EVALUATION and isinstance(value, bytes)]
    cells[name].trainings.setdefault(int(epochs), []).append(evaluations[-1])


def _rows(cells: dict[str, _Cell], stop: Stop) -> Iterator[Row]:
    space = NasBench101Space(NasBench101Options(), InputSpec())
    for cell in cells.values():
        if stop():
            raise Stopped("stopped between two cells")
        numbers = {cost(CIFAR10, "params_m"): cell.parameters / 1e6}
        for epochs, trainings in cell.trainings.items():
            numbers[accuracy(CIFAR10, "valid", epochs)] = 100 * fmean(t[VALID_ACCURACY] for t in trainings)
            numbers[accuracy(CIFAR10, "test", epochs)] = 100 * fmean(t[TEST_ACCURACY] for t in trainings)
            numbers[seconds(CIFAR10, epochs)] = fmean(t[TRAINING_TIME] for t in trainings)
        yield space.to_string(space.from_matrix(cell.matrix, cell.operations)), numbers
