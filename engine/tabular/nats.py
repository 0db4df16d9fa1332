"""NATS-Bench's “simple” folders (Dong et al. 2021, arXiv 2009.00437; file format of the authors' package, 1.8).

``meta.pickle.pbz2`` lists the architectures. Each of the files ``000000.pickle.pbz2`` and so on contains one
architecture: for every length of training (``"12"``, ``"200"``; ``"01"``, ``"12"``, ``"90"``) the results of every
trial, by data set and seed.

As the benchmark prescribes, the validation accuracy of CIFAR-10 is that of networks trained on half of its training
images (``cifar10-valid``), and its test accuracy that of networks trained on all of them (``cifar10``). The other two
sets have their test images split in halves (``x-valid``, ``x-test``). All numbers are from the last epoch and are means
over seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from statistics import fmean
from typing import Any

from engine.errors import DataError, Stopped
from engine.stopping import Stop, never
from engine.tabular.pickles import load_bz2
from engine.tabular_benchmarks import NATS, Row, accuracy, cost, seconds

META_LIMIT, ARCH_LIMIT = 200_000_000, 100_000_000
SETS = {"cifar10": (("cifar10-valid", "x-valid"), ("cifar10", "ori-test"))}
"""For each data set the place of its validation accuracy and of its test accuracy, as (name, evaluation)."""
Trial = Mapping[str, Any]


def read(folder: Path, stop: Stop = never) -> tuple[int, Iterator[Row]]:
    """Return the number of architectures in an unpacked folder and their rows, without those that have no file."""
    if not folder.is_dir():
        raise DataError(f"'{folder.name}' is not a folder; unpack the archive and name the folder inside.")
    meta = load_bz2(folder / "meta.pickle.pbz2", META_LIMIT)
    archs = meta.get("meta_archs") if isinstance(meta, Mapping) else None
    if not isinstance(archs, Sequence) or not archs or not all(isinstance(arch, str) for arch in archs):
        raise DataError(f"'{folder.name}/meta.pickle.pbz2' lists no architectures ('meta_archs').")
    return len(archs), _rows(folder, archs, stop)


def _rows(folder: Path, archs: Sequence[str], stop: Stop) -> Iterator[Row]:
    for index, arch in enumerate(archs):
        if stop():
            raise Stopped("stopped between two architectures")
        path = folder / f"{index:06d}.pickle.pbz2"
        if not path.exists():
            continue
        content = load_bz2(path, ARCH_LIMIT)
        try:
            numbers: dict[str, float] = {}
            for epochs, result in content.items():
                numbers |= _numbers(int(epochs), result)
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise DataError(f"'{path.name}' does not contain NATS-Bench's results: {error!r}.") from error
        yield arch, numbers


def _numbers(epochs: int, result: Mapping[str, Any]) -> dict[str, float]:
    """Return all columns of one length of training."""
    found: dict[str, float] = {}
    for dataset in NATS:
        (valid_data, valid), (test_data, test) = SETS.get(dataset, ((dataset, "x-valid"), (dataset, "x-test")))
        trained = _trials(result, valid_data)
        found[accuracy(dataset, "valid", epochs)] = _mean(_last(trial, valid) for trial in trained)
        found[accuracy(dataset, "test", epochs)] = _mean(_last(trial, test) for trial in _trials(result, test_data))
        found[seconds(dataset, epochs)] = _mean(_seconds(trial, valid) for trial in trained)
        costs = {"params_m": _of(trained, "params"), "madds_m": _of(trained, "flop"), "latency_ms": _latency(trained)}
        found |= {cost(dataset, name): value for name, value in costs.items() if value == value}
    return found


def _trials(result: Mapping[str, Any], dataset: str) -> list[Trial]:
    return [result["all_results"][(dataset, seed)] for seed in result["dataset_seed"].get(dataset, ())]


def _last(trial: Trial, evaluation: str) -> float:
    return float(trial["eval_acc1es"].get(f"{evaluation}@{trial['epochs'] - 1}", nan))


def _seconds(trial: Trial, evaluation: str) -> float:
    """Return the seconds of the training and of an average evaluation, as the package's ``simulate_train_eval``."""
    epochs = range(trial["epochs"])
    training = trial["train_times"]
    keys = [f"{evaluation}@{epoch}" for epoch in epochs]
    if not training or not trial["eval_times"] or any(key not in trial["eval_times"] for key in keys):
        return nan
    return float(sum(training[epoch] for epoch in epochs) + fmean(trial["eval_times"][key] for key in keys))


def _latency(trials: Sequence[Trial]) -> float:
    known = [1e3 * fmean(trial["latency"]) for trial in trials if trial["latency"] and min(trial["latency"]) > 0]
    return _mean(known)


def _of(trials: Sequence[Trial], name: str) -> float:
    """Return a count; if the seeds disagree, that of seed 888, which the package also uses."""
    values = {round(float(trial[name]), 5): trial for trial in trials}
    if len(values) > 1:
        trials = [trial for trial in trials if trial["seed"] == 888] or trials
    return _mean(float(trial[name]) for trial in trials)


def _mean(values: Any) -> float:
    known = [value for value in values if value == value]
    return fmean(known) if known else nan
