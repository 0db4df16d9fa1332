"""Files of tables: new ones are read strictly and within limits, and what was read before stays readable."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import numpy as np
import pytest

from engine.blueprint import InputSpec
from engine.config.search import SearchConfig
from engine.errors import ConfigError, DataError
from engine.registry import assemble
from engine.sources import Source
from engine.table import Table
from engine.table_formats import doubled


def test_files_that_were_read_before_are_read_with_the_same_values(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for content in (b"arch,valid,params\na,1,2\nb,2\n", b"arch,valid,params,note\na,1,2,x\0y\nb,2,,\n"):
        path.write_bytes(content)
        table = Table.open(path)
        assert table.archs == ("a", "b")
        assert table.numbers("valid").tolist() == [1, 2]
        np.testing.assert_array_equal(table.numbers("params"), [2, np.nan])
        with pytest.raises(DataError, match=r"cells, the first line|NUL bytes"):
            Table.open(path, strict=True)


def test_a_file_that_a_new_configuration_names_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("arch,valid,params\na,1,2\nb,2\n")
    source = Source("path", path=str(path))
    assert len(source.open(path)) == 2
    with pytest.raises(DataError, match="row 2 has 2 cells"):
        source.open(path, new=True)
    assert len(Source("table", row=1).open(path, new=True)) == 2
    estimate = {"kind": "table", "path": str(path), "reward": "valid"}
    config = SearchConfig.parse({"space": {"kind": "nasbench201"}, "estimator": estimate})
    assert assemble(config, [path], tmp_path, spec=InputSpec()).tables[0] is not None
    with pytest.raises(ConfigError, match="row 2 has 2 cells"):
        assemble(config, [path], tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("".join(f'{{"arch":"a{i}","k{i}":1}}\n' for i in range(10_000)), "more than 10,000 different fields"),
        ("".join(f'{{"arch":"a","v":{{"k{i}":1}}}}\n' for i in range(10_000)), "more than 10,000 different fields"),
        (
            "{" + ",".join(f'"k{i}":1' for i in range(9_000)) + "}\n" + '{"k0":1}\n' * 12_000,
            "in every row it has 108,009,000 values, and at most 100,000,000 are allowed",
        ),
        (
            '{"v":[{' + ",".join(f'"k{i}":1' for i in range(9_000)) + "}" + ",null" * 12_000 + "]}",
            "in every row it has 108,021,002 values",
        ),
        ('{"arch":"a"}{"arch":"b"}\n', "every line must be one JSON object; row 1 is not"),
        ('{"arch":' * 5_000, "its objects are nested too deeply"),
        ("arch" + ",c" * 10_000 + "\na\n", "its first line names 10,001 columns, and at most 10,000 are allowed"),
        (gzip.compress(b"\n  \n" + b"arch" + b',"c\n"' * 10_000 + b"\na\n"), "its first line names 10,001 columns"),
        ("sep=;\narch" + ";c" * 10_000 + "\na\n", "its first line names 10,001 columns"),
        (b"arch," + b"x" * 5_000_000, "a line of more than 4,194,304 characters"),
        ("arch,v" + "," * 9_000 + "\n" + "a,1\n" * 12_000, "its rows lack cells of 9,000 columns without a name"),
    ],
    ids=range(11),
)
def test_files_of_too_many_columns_or_values_are_refused(tmp_path: Path, content: bytes | str, reason: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.process_time()
    with pytest.raises(DataError, match=reason):
        Table.open(path, strict=True)
    assert time.process_time() - began < 5


def test_names_that_are_there_twice_are_found_in_one_pass() -> None:
    names = [f"c{i}" for i in range(100_000)]
    began = time.process_time()
    assert doubled(names) is None
    assert doubled([*names, "c1", "c0"]) == "c0"
    assert time.process_time() - began < 2
