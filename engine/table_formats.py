"""Parquet, CSV and JSON lines as data frames of plain values; a ValueError says why a file cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.table_sizes import BLOCK, MOST_VALUES, refuse_long_header, refuse_many_values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ARCH = "arch"
DECIMAL_COMMAS = "Separate the columns by commas, and write decimals with a point"
MARK = b"\xef\xbb\xbf"
SEPARATOR = re.compile(rb'"?sep=([,;|:\t])"?\s*[\r\n]+', re.IGNORECASE)
"""A first line that names the separator of the columns, as Excel reads and writes it."""
INDEX = re.compile(r"__index_level_\d+__")
"""The name that pandas gives to the column of an index without a name."""


def frame_of(path: Path, strict: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns of plain values and the names of all columns of an unpacked file.

    `engine.table.Table.open` explains ``strict``.
    """
    with path.open("rb") as file:
        head = file.read(512).removeprefix(MARK)
    if head.startswith(b"PAR1"):
        return _parquet(path)
    begin = head.lstrip()[:1]
    if strict and begin == b"[":
        raise ValueError("it is one JSON document; write one object in each line (to_json with lines=True)")
    return _json_lines(path) if begin == b"{" else _csv(path, head, strict)


def doubled(names: Sequence[str]) -> str | None:
    """Return the first name that is there twice, or None."""
    counts = Counter(names)
    return next((name for name in names if counts[name] > 1), None)


def other_separator(names: Sequence[str]) -> bool:
    """Return whether the first line has semicolons, tabs or bars instead of commas."""
    return len(names) == 1 and bool(set(names[0]) & set(";\t|"))


def _parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pyarrow.parquet as pq

    facts = pq.read_metadata(path)
    rows = facts.num_rows
    columns = facts.num_columns
    if rows * columns > MOST_VALUES:
        raise ValueError(f"{rows:,} rows of {columns:,} columns are more than {MOST_VALUES:,} values")
    schema = pq.read_schema(path)
    if (twice := doubled(schema.names)) is not None:
        raise ValueError(f"the column '{twice}' is there twice; give every column a name of its own")
    return _frame(pq.read_table(path, columns=_flat(schema))), list(schema.names)


def _json_lines(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pyarrow as pa
    import pyarrow.json as pj

    refuse_many_values(path)
    with path.open("rb") as file:
        file.seek(len(MARK) if file.read(len(MARK)) == MARK else 0)
        try:
            table = pj.read_json(file, read_options=pj.ReadOptions(block_size=BLOCK))
        except pa.ArrowInvalid as error:
            reason = str(error).partition("\n")[0].removeprefix("JSON parse error: ")
            reason = re.sub(r"\.? in row (\d+)$", lambda row: f" in row {int(row[1]) + 1}", reason)
            raise ValueError(f"every line must be one JSON object with values of one type each; {reason}") from error
    return _frame(table.select(_flat(table.schema))), list(table.schema.names)


def _flat(schema: pa.Schema) -> list[str]:
    """Return the names of the columns of plain values, without lists and without pandas' unnamed index."""
    import pyarrow as pa

    names = (name for name in dict.fromkeys(schema.names) if not INDEX.fullmatch(name))
    return [
        name
        for name in names
        if not any(pa.types.is_nested(schema.field(i).type) for i in schema.get_all_field_indices(name))
    ]


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return a frame in which an index of pandas is a column like all others, and numbers of all types are numbers.

    Columns of bytes are left out.
    """
    import pyarrow as pa

    columns = {name: _plain(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    values = {name: column for name, column in columns.items() if not pa.types.is_binary(column.type)}
    frame: pd.DataFrame = pa.table(values).to_pandas(ignore_metadata=True)
    return frame


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column with decimals, truth values with gaps, and dictionaries of numbers converted to numbers.

    Bytes become text if they are UTF-8.
    """
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind) and not (types.is_string(kind.value_type) or types.is_large_string(kind.value_type)):
        column = column.cast(kind.value_type)
    kind = column.type
    if types.is_decimal(kind):
        return column.cast(pa.float64())
    if types.is_boolean(kind) and column.null_count:
        return column.cast(pa.uint8())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        column = column.cast(pa.binary())
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            return column
    return column


def _csv(path: Path, head: bytes, strict: bool) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    given = SEPARATOR.match(head)
    separator = given[1].decode() if given else ","
    skipped = 1 if given else 0
    if strict:
        refuse_long_header(path, separator, skipped)

    def read(rows: int | None = None, texts: Sequence[str] = ()) -> pd.DataFrame:
        kinds: dict[Any, Any] = dict.fromkeys(texts, "str")
        return pd.read_csv(
            path,
            sep=separator,
            skiprows=skipped,
            dtype=kinds,
            encoding="utf-8-sig",
            compression=None,
            low_memory=False,
            nrows=rows,
        )

    names: list[str] = []
    try:
        names = [str(name) for name in read(0).columns]
        if strict:
            _refuse_short_rows(path, separator, skipped, names)
        frame = read(texts=[name for name in names if name.strip() == ARCH])
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8 or UTF-16") from error
    except pd.errors.ParserError as error:
        if other_separator(names):
            raise ValueError(DECIMAL_COMMAS) from error
        raise
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took the first entry of every row for its name
        more = "its rows have more entries than its first line has names; give every column a name"
        raise ValueError(DECIMAL_COMMAS if other_separator(names) else more)
    frame.columns = [name.strip() for name in names]
    return frame, list(frame.columns)


def _last_named(names: Sequence[str]) -> int:
    """Return the number of columns up to the last one that the first line names."""
    return max((i + 1 for i, name in enumerate(names) if not re.fullmatch(r"Unnamed: \d+", name)), default=0)


def _refuse_short_rows(path: Path, separator: str, skipped: int, names: Sequence[str]) -> None:
    """Raise ValueError for the first row that lacks a cell, which pandas takes as empty at the end.

    Columns at the end of the first line that have no name need no cells, up to `MOST_VALUES` in such rows.
    """
    import pyarrow as pa
    from pyarrow import csv

    needed = _last_named(names)
    blank = 0
    partial = 0
    short: list[tuple[int, int]] = []

    def look(row: csv.InvalidRow) -> str:
        nonlocal blank, partial
        if not row.text.strip():
            blank += 1
        elif row.actual_columns < needed:
            short.append((row.number - 1 - skipped - blank, row.actual_columns))
            return "error"
        elif row.actual_columns < len(names):
            partial += 1
        return "error" if partial * len(names) > MOST_VALUES else "skip"

    options = csv.ReadOptions(use_threads=False, autogenerate_column_names=True, block_size=BLOCK, skip_rows=skipped)
    parse = csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=look)
    kept = csv.ConvertOptions(include_columns=["f0"], column_types={"f0": pa.binary()})
    try:
        with csv.open_csv(path, read_options=options, parse_options=parse, convert_options=kept) as reader:
            for _ in reader:
                pass
    except pa.ArrowInvalid:
        if not short and partial * len(names) <= MOST_VALUES:
            raise
    if partial * len(names) > MOST_VALUES:
        raise ValueError(f"its rows lack cells of {len(names) - needed:,} columns without a name; remove these columns")
    if short:
        row, cells = short[0]
        counted = "1 cell" if cells == 1 else f"{cells} cells"
        raise ValueError(f"row {row} has {counted}, the first line names {needed} columns; leave unknown cells empty")
