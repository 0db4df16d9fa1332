"""The input vector of NAS-Bench-301's surrogates for a network (Siems et al. 2020, arXiv 2008.09777, section 4).

It is ConfigSpace 0.4's vector for the authors' ``configspace.json``. Hyperparameters without a condition come first,
then those with a condition; each group is sorted by name. A categorical choice is its index, a number is scaled to its
range (or to the range's logarithm), a constant is 0. A hyperparameter that does not apply to the network is -1.

We compared this with the authors' release. Names and order are those of their file (56 of 56). On 3,000 random networks
the choices, their indexes and the absent hyperparameters equal those of their genotype converter and the file's
conditions. Values of the fixed training come from ``api.py``, and their ranges from ``utils.py``, which replaces those
of the file. The scaling follows ConfigSpace's source. We had no predictions of the authors to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import log

import numpy as np
from numpy.typing import NDArray

from engine.spaces.darts_cell import NODES, Pair

CHOICES = (
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
"""The operations in the authors' order."""
ABSENT = -1.0
PREFIX = "NetworkSelectorDatasetInfo:darts:"
EDGES = tuple(sum(range(2, 2 + node)) for node in range(NODES + 1))
"""The number of each node's first edge; the last entry is the number of edges of a cell."""


def _scaled(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)


def _whole(value: int, low: int, high: int) -> float:
    """Return a scaled integer; integers are scaled as if each filled an interval of length 1."""
    return _scaled(value, low - 0.49999, high + 0.49999)


FIXED = {
    "CreateImageDataLoader:batch_size": _scaled(log(96), log(64 - 0.49999), log(128 + 0.49999)),
    "ImageAugmentation:augment": 0.0,
    "ImageAugmentation:autoaugment": 0.0,
    "ImageAugmentation:cutout": 0.0,
    "ImageAugmentation:cutout_holes": _whole(1, 1, 3),
    "ImageAugmentation:cutout_length": _whole(16, 1, 50),
    "ImageAugmentation:fastautoaugment": 0.0,
    "LossModuleSelectorIndices:loss_module": 0.0,
    f"{PREFIX}auxiliary": 0.0,
    f"{PREFIX}drop_path_prob": 0.0,
    f"{PREFIX}init_channels": _whole(32, 1, 10_000),
    f"{PREFIX}layers": _whole(8, 1, 10_000),
    "NetworkSelectorDatasetInfo:network": 0.0,
    "OptimizerSelector:optimizer": 0.0,
    "OptimizerSelector:sgd:learning_rate": log(0.025),
    "OptimizerSelector:sgd:momentum": _scaled(0.9, 0.1, 0.99),
    "OptimizerSelector:sgd:weight_decay": log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": _whole(100, 1, 10_000),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": 1e-8 / 10_000,
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0.0,
    "SimpleTrainNode:batch_loss_computation_technique": 0.0,
    "SimpleTrainNode:mixup:alpha": _scaled(log(0.2), log(0.01), log(0.7)),
}
"""The training that the benchmark's authors fixed: 100 epochs of 8 cells of 32 channels."""
_CELLS = ("normal", "reduce")
_ALWAYS = [f"{PREFIX}edge_{cell}_{edge}" for cell in _CELLS for edge in range(EDGES[1])] + [
    f"{PREFIX}inputs_node_{cell}_{node + 2}" for cell in _CELLS for node in range(1, NODES)
]
_SOMETIMES = [f"{PREFIX}edge_{cell}_{edge}" for cell in _CELLS for edge in range(EDGES[1], EDGES[-1])]
NAMES = (*sorted([*FIXED, *_ALWAYS]), *sorted(_SOMETIMES))
"""The hyperparameters in the order of the vector."""


def vector(normal: Sequence[Pair], reduce: Sequence[Pair]) -> NDArray[np.float64]:
    """Return the vector, shape ``(len(NAMES),)``, for the eight operations and inputs of each cell."""
    values = dict(FIXED)
    for cell, pairs in zip(_CELLS, (normal, reduce), strict=True):
        for node in range(NODES):
            two = pairs[2 * node : 2 * node + 2]
            for operation, source in two:
                values[f"{PREFIX}edge_{cell}_{EDGES[node] + source}"] = CHOICES.index(operation)
            if node:
                inputs = tuple(sorted(source for _, source in two))
                place = list(combinations(range(node + 2), 2)).index((inputs[0], inputs[1]))
                values[f"{PREFIX}inputs_node_{cell}_{node + 2}"] = place
    return np.array([values.get(name, ABSENT) for name in NAMES])
