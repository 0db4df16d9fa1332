"""The benchmarks whose official files can be read, and the columns of their converted tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.dotted import load
from engine.stopping import Stop

Row = tuple[str, Mapping[str, float]]
"""An architecture in the space's notation, and its numbers by column."""
Reader = Callable[[Path, Stop], tuple[int, Iterator[Row]]]
"""A function that reads an official file or folder and returns the number of architectures and their rows.

It raises DataError, which names what is wrong, and Stopped when ``stop()`` is true, which it checks often.
"""


@dataclass(frozen=True)
class TabularBenchmark:
    """One benchmark: the name and source of its official file, and what it contains."""

    label: str
    space: str
    files: tuple[str, ...]
    """Possible names of the file or folder; the first one that exists is used."""
    source: str
    datasets: tuple[str, ...]
    epochs: tuple[int, ...]
    """Lengths of training in epochs, ascending; the last one gives the truth."""
    reader: str
    costs: tuple[str, ...]

    @property
    def read(self) -> Reader:
        """The reader; it is imported now."""
        reader: Reader = load(self.reader)
        return reader

    def find(self, folder: Path) -> Path | None:
        """Return the official file in a folder, or None if it is not there."""
        return next((folder / name for name in self.files if (folder / name).exists()), None)


NATS = ("cifar10", "cifar100", "ImageNet16-120")
NATS_SOURCE = "the NATS-Bench authors' page, github.com/D-X-Y/NATS-Bench (the “simple” archive, unpacked)"
TABULAR_BENCHMARKS: Mapping[str, TabularBenchmark] = {
    "nats_tss": TabularBenchmark(
        label="NATS-Bench topology",
        space="nasbench201",
        files=("NATS-tss-v1_0-3ffb9-simple",),
        source=NATS_SOURCE,
        datasets=NATS,
        epochs=(12, 200),
        reader="engine.tabular.nats:read",
        costs=("params_m", "madds_m", "latency_ms"),
    ),
    "nats_sss": TabularBenchmark(
        label="NATS-Bench size",
        space="nats_size",
        files=("NATS-sss-v1_0-50262-simple",),
        source=NATS_SOURCE,
        datasets=NATS,
        epochs=(1, 12, 90),
        reader="engine.tabular.nats:read",
        costs=("params_m", "madds_m", "latency_ms"),
    ),
    "nasbench101": TabularBenchmark(
        label="NAS-Bench-101",
        space="nasbench101",
        files=("nasbench_full.tfrecord", "nasbench_only108.tfrecord"),
        source="the NAS-Bench-101 authors' page, github.com/google-research/nasbench",
        datasets=("cifar10",),
        epochs=(4, 12, 36, 108),
        reader="engine.tabular.nasbench101:read",
        costs=("params_m",),
    ),
}


def accuracy(dataset: str, split: str, epochs: int) -> str:
    """Return the column of an accuracy in percent, mean over the benchmark's seeds; ``split`` is valid or test."""
    return f"{_name(dataset)}_{split}_accuracy_{epochs}"


def seconds(dataset: str, epochs: int) -> str:
    """Return the column of a trial's seconds: ``epochs`` epochs of training and one pass over the validation images."""
    return f"{_name(dataset)}_seconds_{epochs}"


def cost(dataset: str, name: str) -> str:
    """Return the column of a cost as the benchmark states it; latency is for its authors' GPU and a batch of 256."""
    return f"{_name(dataset)}_{name}"


def _name(dataset: str) -> str:
    return dataset.lower().replace("-", "_")
