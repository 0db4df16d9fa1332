"""Files of tables as people bring them: what is read as which values, and what is refused by which name."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import table_packing
from engine.errors import DataError
from engine.table import Table

CSV = "arch,valid,note\n0-0,93.5,é\n1-1,94,y\n"
FRAME = pd.DataFrame({"arch": ["a", "b", "c"], "valid": [1.5, 2.5, None], "count": pd.array([1, None, 3], "Int64")})
Opened = Callable[[bytes | str], Table]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    def put(content: bytes | str) -> Table:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Table.open(path, strict=True)

    return put


def _gzip(content: bytes) -> bytes:
    """Return the content compressed; without a time, so that every test process names the same tests."""
    return gzip.compress(content, mtime=0)


def _zip(files: dict[str, str | bytes]) -> bytes:
    sink = BytesIO()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return sink.getvalue()


def _parquet(frame: pd.DataFrame) -> bytes:
    sink = BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (FRAME.set_index("arch"), ["valid", "count", "arch"]),
        (FRAME.assign(seed=1).set_index(["arch", "seed"]), ["valid", "count", "arch", "seed"]),
        (FRAME.astype({"arch": "category"}).set_index("arch"), ["valid", "count", "arch"]),
        (FRAME.set_index(pd.Index([3, 5, 8])), ["arch", "valid", "count"]),
        (FRAME.set_index(pd.date_range("2026-01-01", periods=3, name="day")), ["arch", "valid", "count", "day"]),
        (FRAME.astype({"arch": "category", "valid": "Float32"}), ["arch", "valid", "count"]),
    ],
)
def test_an_index_of_pandas_is_a_column(opened: Opened, frame: pd.DataFrame, names: list[str]) -> None:
    table = opened(_parquet(frame))
    assert [column.name for column in table.columns if not column.name.startswith("__")] == names
    assert table.archs == ("a", "b", "c")
    np.testing.assert_array_equal(table.numbers("valid"), [1.5, 2.5, np.nan])
    np.testing.assert_array_equal(table.numbers("count"), [1, np.nan, 3])


def test_an_index_without_a_name_is_shown_in_the_refusal(opened: Opened) -> None:
    with pytest.raises(DataError, match="its columns are: valid, count, __index_level_0__"):
        opened(_parquet(FRAME.set_index("arch").rename_axis(None)))


def test_numbers_of_every_type_of_parquet_are_read(tmp_path: Path) -> None:
    columns = {
        "arch": pa.array([b"010", b"b"]),
        "decimal": pa.array([Decimal("93.51"), None]),
        "wide": pa.array([Decimal("1.25"), Decimal(2)], pa.decimal256(40, 5)),
        "dictionary": pa.array([10, 20]).dictionary_encode(),
        "decimals": pa.array([Decimal("1.5"), Decimal(2)]).dictionary_encode(),
        "text": pa.array(["93.5", None]),
        "categories": pa.array(["93.5%", "94%"]).dictionary_encode(),
        "truth": pa.array([True, None]),
        "half": pa.array([1, 2], pa.float16()),
        "raw": pa.array([b"\xff", b"b"]),
        "day": pa.array([1, 2], pa.timestamp("s")),
    }
    pq.write_table(pa.table(columns), tmp_path / "table.parquet")
    table = Table.open(tmp_path / "table.parquet")
    assert table.archs == ("010", "b")
    expected = {
        "decimal": [93.51, np.nan], "wide": [1.25, 2], "dictionary": [10, 20], "decimals": [1.5, 2],
        "text": [93.5, np.nan], "categories": [93.5, 94], "truth": [1, np.nan], "half": [1, 2],
    }  # fmt: skip
    assert table.number_names == tuple(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(table.numbers(name), values)
    assert [(c.name, c.type) for c in table.columns[-2:]] == [("raw", "other"), ("day", "text")]


@pytest.mark.parametrize("arch", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"\xff", b"\xfe"]])
def test_architectures_that_are_no_text_are_refused(tmp_path: Path, arch: list[object]) -> None:
    pq.write_table(pa.table({"arch": arch, "valid": [1, 2]}), tmp_path / "table.parquet")
    with pytest.raises(DataError, match="'arch' holds lists, objects or bytes; write every architecture as text"):
        Table.open(tmp_path / "table.parquet")


def test_a_column_of_parquet_that_is_there_twice_is_named(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array([1]), pa.array([2])], names=["arch", "v", "v"])
    pq.write_table(twice, tmp_path / "table.parquet")
    with pytest.raises(DataError, match="the column 'v' is there twice"):
        Table.open(tmp_path / "table.parquet")


@pytest.mark.parametrize(
    "content",
    [
        _gzip(CSV.encode()),
        bz2.compress(CSV.encode()),
        lzma.compress(CSV.encode()),
        _zip({"folder/": "", "folder/table.csv": CSV, "__MACOSX/folder/._table.csv": "x", ".DS_Store": "x"}),
        _gzip(CSV.encode("utf-16")),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-16-be"),
        CSV.encode("utf-32"),
        CSV.encode("utf-8-sig"),
        f"sep=,\n{CSV}",
        "\ufeffSEP=;\r\n" + CSV.replace(",", ";").replace("\n", "\r\n"),
        ("sep=\t\n" + CSV.replace(",", "\t")).encode("utf-16"),
        '{"arch":"0-0","valid":93.5,"note":"é"}\n\n{"arch":"1-1","valid":94,"note":"y","steps":[1,2]}\n',
        '\ufeff{"note":"é","arch":"0-0","valid":"93.5%"}\r\n{"arch":"1-1","valid":"94%"}',
    ],
)
def test_packed_and_encoded_files_give_the_same_table(opened: Opened, content: bytes | str) -> None:
    table = opened(content)
    assert table.archs == ("0-0", "1-1")
    assert table.numbers("valid").tolist() == [93.5, 94]
    assert {"arch", "valid", "note"} <= {column.name for column in table.columns}


def test_a_zip_may_hold_parquet(opened: Opened) -> None:
    assert opened(_zip({"table.parquet": _parquet(FRAME.set_index("arch"))})).archs == ("a", "b", "c")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_zip({"a.csv": CSV, "b.csv": CSV}), r"the zip holds 2 files \(a\.csv, b\.csv\) and must hold one table"),
        (_zip({"[Content_Types].xml": "", "xl/workbook.xml": ""}), r"it is an Excel workbook \(\.xlsx\)"),
        (_zip({"mimetype": "", "content.xml": ""}), r"it is an OpenDocument file"),
        (_zip({".hidden": CSV}), "its zip is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"it is an Excel workbook \(\.xls\)"),
        (_gzip(_gzip(CSV.encode())), "it is compressed twice"),
        (_gzip(CSV.encode() * 100)[:-20], "its compressed content is damaged"),
        (_gzip(CSV.encode())[:-6] + b"abcdef", "its compressed content is damaged"),
        (lzma.compress(CSV.encode())[:-20], "its compressed content is damaged"),
        (_gzip(b"table.csv".ljust(257, b"\0") + b"ustar\0"), "it is a tar archive"),
        (CSV.encode("utf-16") + b"x", "it is not text in UTF-16"),
        (CSV.encode("latin-1"), "it is not text in UTF-8 or UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is not text, for it holds NUL bytes"),
        (b"\x80\x04\x95\0\0\0\0", "it is a Python pickle"),
        ("<!DOCTYPE html>\n<html>", "it is a web page, no table"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1", "it is a pointer of Git LFS"),
        ('[{"arch": "a", "valid": 1}]', "it is one JSON document; write one object in each line"),
        ('{"arch":"a","v":1}\n{"arch":"b","v":"x"}\n', r"Column\(/v\) changed from number to string in row 2"),
        ('{"arch":"a","v":1,"v":2}\n', r"Column\(/v\) was specified twice in row 1"),
        ('{"arch":"a","v":1}\n{"arch":"b",', "every line must be one JSON object"),
        ('{"arch":{"0":"a"},"v":{"0":1}}', "The column 'arch' holds lists, objects or bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(opened: Opened, content: bytes | str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        opened(content)


def test_content_that_unpacks_beyond_the_limit_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_packing, "MOST_BYTES", 5_000_000)
    with pytest.raises(DataError, match="it unpacks to more than 5,000,000 bytes"):
        opened(_gzip(b"\n" * 6_000_000))


@pytest.mark.parametrize(
    ("content", "row", "cells"),
    [
        ("arch,valid,params\na,1,2\nb,2\nc,3,4\n", 2, "2 cells"),
        ('arch,valid,params\n"a\nq",1,2\n\n   \nb,2\n', 2, "2 cells"),
        ("sep=;\narch;valid;params\na;0;5\nb;1\n", 2, "2 cells"),
        ("arch,valid\r\na,1\r\nb\r\n", 2, "1 cell"),
        ("arch,valid\ra,1\rb\r", 2, "1 cell"),
        ("\n\narch,valid,\na,1\nb\n", 2, "1 cell"),
        ("arch,valid\n" + "a,1\n" * 100_000 + "b\n", 100_001, "1 cell"),
    ],
)
def test_a_row_that_lacks_a_cell_is_refused_by_its_number(opened: Opened, content: str, row: int, cells: str) -> None:
    with pytest.raises(DataError, match=rf"row {row} has {cells}, the first line names \d columns"):
        opened(content)


def test_rows_may_leave_cells_empty_and_end_with_a_comma(opened: Opened) -> None:
    table = opened("arch,valid,params,\na,,2,\nb,1,\nc,,,\n\n")
    np.testing.assert_array_equal(table.numbers("valid"), [np.nan, 1, np.nan])
    np.testing.assert_array_equal(table.numbers("params"), [2, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["93.5%", "94 %", ""], [93.5, 94, np.nan]),
        (["+1%", " 0.5% ", "-.5%"], [1, 0.5, -0.5]),
        (["1,234,567", "999", "1,000"], [1_234_567, 999, 1000]),
        (["1,234.5", "-2,000", "1e3"], [1234.5, -2000, 1000]),
    ],
)
def test_percentages_and_separators_of_thousands_are_read(
    opened: Opened, cells: list[str], numbers: list[float]
) -> None:
    rows = "".join(f'{name},"{cell}"\n' for name, cell in zip("abc", cells, strict=True))
    np.testing.assert_array_equal(opened(f"arch,valid\n{rows}").numbers("valid"), numbers)


@pytest.mark.parametrize(
    ("cells", "doubt"),
    [
        (["1,234", "2,345"], "row 1 holds '1,234', which may mean 1234 or 1.234"),
        (["0.6", "0.5%"], "row 2 holds '0.5%', but row 1 holds '0.6' without a percent sign"),
        (["93.5%", "n.d."], "row 2 holds 'n.d.'"),
        (["0,91", "0,92"], "row 1 holds '0,91'"),
        (["1,234,567", "0,912"], "row 2 holds '0,912'"),
        (["1.234.567", "2"], "row 1 holds '1.234.567'"),
        (["1 234", "2"], "row 1 holds '1 234'"),
    ],
)
def test_numbers_in_doubt_are_shown_in_the_refusal(opened: Opened, cells: list[str], doubt: str) -> None:
    table = opened(f'arch,valid\na,"{cells[0]}"\nb,"{cells[1]}"\n')
    with pytest.raises(DataError, match=f"The column 'valid' is text, since {doubt}; "):
        table.numbers("valid")


def test_labels_and_notes_stay_text(opened: Opened) -> None:
    table = opened(' arch ,note,part\n0010,resnet 18,"x, 1,234"\n0020,x%,7-1\n')
    assert table.archs == ("0010", "0020")
    assert table.number_names == ()
    with pytest.raises(DataError, match="'note' is not a column of numbers"):
        table.numbers("note")
