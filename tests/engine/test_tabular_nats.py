"""NATS-Bench folders, written by the authors' package, which also gives the expected numbers."""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nats_bench import create

from engine.blueprint import InputSpec
from engine.config.lookups import TabularOptions
from engine.config.search import SearchConfig
from engine.config.spaces import NasBench201Options, NatsSizeOptions
from engine.errors import ConfigError, DataError, Stopped
from engine.estimators.table import TabularEstimator
from engine.registry import create_space
from engine.table import Table
from engine.tabular.convert import convert, main
from engine.tabular.pickles import load_bz2
from tests.engine.official import write_nats

CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|",
)
SIZES = ("8:8:8:8:8", "64:32:16:8:64")


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-3ffb9-simple"
    write_nats(folder, CELLS, {"12": 12, "200": 200})
    return folder


@pytest.fixture(scope="module")
def table(topology: Path) -> Table:
    target = topology.parent / "nats_tss.parquet"
    assert convert("nats_tss", topology, target) == len(CELLS)
    return Table.open(target)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
@pytest.mark.parametrize("epochs", [12, 200])
def test_numbers_are_those_of_the_authors_package(topology: Path, table: Table, dataset: str, epochs: int) -> None:
    api = create(str(topology), "tss", fast_mode=True, verbose=False)
    name = dataset.lower().replace("-", "_")
    trained_on = "cifar10-valid" if dataset == "cifar10" else dataset
    for row, arch in enumerate(table.archs):
        index = api.query_index_by_arch(arch)
        assert index == row
        held_out = api.get_more_info(index, trained_on, hp=str(epochs), is_random=False)
        tested = api.get_more_info(index, dataset, hp=str(epochs), is_random=False)
        costs = api.get_cost_info(index, trained_on, hp=str(epochs))
        expected = {
            f"{name}_valid_accuracy_{epochs}": held_out["valid-accuracy"],
            f"{name}_test_accuracy_{epochs}": tested["test-accuracy"],
            f"{name}_seconds_{epochs}": held_out["train-all-time"] + held_out["valid-per-time"],
            f"{name}_params_m": costs["params"],
            f"{name}_madds_m": costs["flops"],
            f"{name}_latency_ms": 1e3 * costs["latency"],
        }
        for column, value in expected.items():
            assert table.numbers(column)[row] == pytest.approx(value, rel=1e-9), column


def test_a_search_looks_them_up(table: Table) -> None:
    space = create_space(NasBench201Options(), InputSpec())
    options = TabularOptions(name="nats_tss", dataset="cifar100", epochs=12, cost="latency_ms")
    estimator = TabularEstimator(options, space, None, table)
    (estimate,) = estimator.estimate_batch([space.from_string(CELLS[0])], seed=0)
    assert estimate.score == table.numbers("cifar100_valid_accuracy_12")[0]
    assert estimate.terms["truth"] == table.numbers("cifar100_test_accuracy_200")[0]
    assert estimate.seconds == table.numbers("cifar100_seconds_12")[0]
    assert options.source.columns.cost == "cifar100_latency_ms"
    other = create_space(NatsSizeOptions(), InputSpec())
    with pytest.raises(ConfigError, match="a table of the space nasbench201 only"):
        TabularEstimator(options, other, None, table)


def test_the_size_space_has_its_own_lengths_and_its_command(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "NATS-sss-v1_0-50262-simple"
    write_nats(folder, SIZES, {"01": 1, "12": 12, "90": 90}, seeds=(777,))
    (folder / "000001.pickle.pbz2").unlink()  # architectures may be missing
    target = tmp_path / "sizes.parquet"
    assert main(["nats_sss", str(folder), str(target)]) == 0
    assert "1 architectures written" in capsys.readouterr().out
    table = Table.open(target)
    assert table.archs == SIZES[:1]
    assert {"cifar10_valid_accuracy_1", "cifar100_test_accuracy_90"} <= set(table.number_names)
    assert main(["nats_sss", str(tmp_path / "nothing"), str(target)]) == 1
    assert "not a folder" in capsys.readouterr().err
    assert main(["magic", "a", "b"]) == 2


def test_reading_can_be_stopped_and_leaves_nothing(topology: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(Stopped):
        convert("nats_tss", topology, tmp_path / "t.parquet", lambda *n: told.append(n), lambda: len(told) == 2)
    assert told == [(1, 3), (2, 3)]
    assert list(tmp_path.iterdir()) == []


class Evil:
    """An object that runs a command when the standard library unpickles it."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.made,)


def pickled(path: Path, value: Any) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(value)))
    return path


def test_pickles_cannot_run_code(tmp_path: Path) -> None:
    made = tmp_path / "made"
    evil = pickled(tmp_path / "evil.pickle.pbz2", {"meta_archs": [Evil(made)]})
    with pytest.raises(DataError, match=r"it names pathlib.*which a table does not need"):
        load_bz2(evil, 1_000_000)
    assert not made.exists()
    pickle.loads(bz2.decompress(evil.read_bytes()))
    assert made.exists()  # the same bytes do run their command when nothing is refused
    plain = {"a": OrderedDict(b=np.float64(1.5)), "c": np.float32(2.5), "d": [None, True, "x", (1, 2)]}
    assert load_bz2(pickled(tmp_path / "plain", plain), 1_000_000) == plain


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "cannot be read as a compressed pickle"),
        (bz2.compress(b"\x80\x04."), "cannot be read as a compressed pickle"),
        (bz2.compress(pickle.dumps({"archs": []})), "lists no architectures"),
        (bz2.compress(b"0" * 1000), "cannot be read as a compressed pickle"),
    ],
)
def test_damaged_folders_are_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "meta.pickle.pbz2").write_bytes(content)
    with pytest.raises(DataError, match=words):
        convert("nats_tss", tmp_path, tmp_path / "t.parquet")


def test_what_is_missing_or_too_large_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing; unpack the whole archive"):
        convert("nats_tss", tmp_path, tmp_path / "t.parquet")
    pickled(tmp_path / "meta.pickle.pbz2", {"meta_archs": list(CELLS)})
    with pytest.raises(DataError, match="contains no architecture"):
        convert("nats_tss", tmp_path, tmp_path / "t.parquet")
    pickled(tmp_path / "000000.pickle.pbz2", {"12": {"all_results": {}}})
    with pytest.raises(DataError, match="does not contain NATS-Bench's results"):
        convert("nats_tss", tmp_path, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="unpacks to more than 0 MB"):
        load_bz2(tmp_path / "meta.pickle.pbz2", 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 90}, "trained for 12, 200 epochs, not 90"),
        ({"name": "nats_sss", "truth_epochs": 200}, "trained for 1, 12, 90 epochs, not 200"),
        ({"name": "nasbench101", "dataset": "cifar100"}, "has only the data cifar10"),
        ({"name": "nasbench101", "cost": "latency_ms"}, "states only the costs params_m"),
    ],
)
def test_what_was_not_measured_is_refused(options: dict[str, Any], words: str) -> None:
    document = {"space": {"kind": "nasbench201"}, "estimator": {"kind": "benchmark", **options}}
    with pytest.raises(ConfigError, match=words):
        SearchConfig.parse(document)
