"""Small files in the benchmarks' official formats, written by the authors' package if there is one."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from nats_bench.api_utils import ArchResults, ResultsCount, pickle_save

from engine.spaces.nasbench101_graph import graph_hash
from engine.tabular.tfrecord import masked_crc

EVALUATIONS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}


def write_nats(folder: Path, archs: Sequence[str], lengths: dict[str, int], seeds: Sequence[int] = (777, 888)) -> None:
    """Write a “simple” folder with made-up numbers; ``lengths`` maps names of training lengths to their epochs."""
    folder.mkdir(parents=True)
    pickle_save({"meta_archs": list(archs), "evaluated_indexes": list(range(len(archs)))}, folder / "meta.pickle")
    for index, arch in enumerate(archs):
        rng = Random(f"nats:{arch}")
        content = {name: _results(index, arch, epochs, seeds, rng) for name, epochs in lengths.items()}
        pickle_save(content, folder / f"{index:06d}.pickle")


def _results(index: int, arch: str, epochs: int, seeds: Sequence[int], rng: Random) -> dict[str, Any]:
    results = ArchResults(index, arch)
    for dataset, evaluations in EVALUATIONS.items():
        for seed in seeds:
            rounds = range(epochs)
            numbers = {i: rng.uniform(10, 95) for i in rounds}
            config = {"arch_str": arch, "channel": 16, "num_cells": 5, "class_num": 10}
            trial = ResultsCount(
                dataset, None, numbers, {i: 1.0 for i in rounds}, 0.5, 70.25, config, seed, epochs, [0.02, 0.04]
            )
            trial.update_train_info(numbers, None, {i: 1.0 for i in rounds}, {i: rng.uniform(5, 9) for i in rounds})
            keys = [f"{name}@{i}" for name in evaluations for i in rounds]
            accuracies, times = ({key: rng.uniform(1, 95) for key in keys} for _ in range(2))
            trial.update_eval(accuracies, dict.fromkeys(keys, 1.0), times)
            results.update(dataset, seed, trial)
    return dict(results.state_dict())


def record(data: bytes) -> bytes:
    """Return one TFRecord."""
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def training(matrix: str, operations: str, epochs: int, numbers: Sequence[float], parameters: int = 1_000_000) -> bytes:
    """Return a NAS-Bench-101 record; ``numbers`` are training seconds and final train, validation, test accuracies."""
    side = int(len(matrix) ** 0.5)
    rows = [[int(digit) for digit in matrix[side * u : side * (u + 1)]] for u in range(side)]
    half = [number / 2 for number in numbers]
    evaluations = b"".join(
        _length(1, b"".join(_double(i, v) for i, v in enumerate((epoch, *part), start=1)) + _length(6, b"ckpt-1"))
        for epoch, part in ((0, [0.0] * 4), (epochs / 2, half), (epochs, numbers))
    )
    message = evaluations + b"\x10" + _varint(parameters) + _double(3, 99.0)
    content = [graph_hash(rows, operations.split(",")), epochs, matrix, operations, base64.b64encode(message).decode()]
    return json.dumps(content).encode()


def _double(field: int, value: float) -> bytes:
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _length(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
