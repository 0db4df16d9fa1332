"""Reading CSV and Parquet files of architectures; a DataError says what is wrong with a file and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

ARCH = "arch"
DECIMAL_COMMAS = "Separate the columns by commas, and write decimals with a point"
MOST_VALUES = 100_000_000
"""Most rows times columns of a Parquet file; its own size says little, because it may be compressed a millionfold."""


def read(path: Path) -> tuple[pd.DataFrame, list[str], str]:
    """Return the columns of plain values, the names of all columns, and the SHA-256 of the file."""
    import pyarrow as pa

    try:
        with path.open("rb") as file:
            content_hash = file_digest(file, "sha256").hexdigest()
            file.seek(0)
            parquet = file.read(4) == b"PAR1"
        frame, names = _parquet(path) if parquet else _csv(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        known = isinstance(error, OSError) and error.strerror
        reason = str(known or error).strip().partition("\n")[0][:200].rstrip(".")
        raise DataError(f"'{path.name}' cannot be read as a CSV or Parquet table: {reason}.") from error
    return frame, names, content_hash


def arch_column(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the architectures; DataError names a row that has none, or one that an earlier row has, too."""
    if ARCH not in names:
        hint = " Separate the columns by commas." if _other_separator(names) else ""
        raise DataError(
            f"The table needs a column '{ARCH}' with architectures; its columns are: {', '.join(names)}.{hint}"
        )
    if len(frame) == 0:
        raise DataError("The table has no rows.")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"The column '{twice[0]}' is there twice; give every column a name of its own.")
    column = frame[ARCH]
    missing = column.isna().to_numpy()
    if missing.any():
        raise DataError(f"Row {int(missing.argmax()) + 1} has no '{ARCH}'; every row must name its architecture.")
    archs = column.astype(str).str.strip()
    again = archs.duplicated()
    if again.any():
        row = int(again.to_numpy().argmax())
        raise DataError(f"The architecture '{archs.iloc[row]}' is there twice, again in row {row + 1}; keep one.")
    return archs.tolist()


def column_type(frame: pd.DataFrame, name: str) -> str:
    """Return ``number``, ``text`` or ``other`` (for example lists)."""
    from pandas.api import types

    if name not in frame:
        return "other"
    if name == ARCH or not types.is_numeric_dtype(frame[name]) or types.is_complex_dtype(frame[name]):
        return "text"
    return "number"


def spoilt(column: pd.Series[Any]) -> str | None:
    """Return which entry keeps a column from being one of numbers; None where none of its entries is a number."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.isna().all():
        return None
    wrong = (numbers.isna() & column.notna()).to_numpy()
    row = int(wrong.argmax())
    return f"row {row + 1} holds '{column.iloc[row]}'" if wrong.any() else None


def _other_separator(names: Sequence[str]) -> bool:
    """Return whether the first line has semicolons, tabs or bars instead of commas."""
    return len(names) == 1 and bool(set(names[0]) & set(";\t|"))


def _parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = pq.read_metadata(path)
    rows = facts.num_rows
    columns = facts.num_columns
    if rows * columns > MOST_VALUES:
        raise ValueError(f"{rows:,} rows of {columns:,} columns are more than {MOST_VALUES:,} values")
    schema = pq.read_schema(path)
    flat = [name for name in schema.names if not pa.types.is_nested(schema.field(name).type)]
    return pq.read_table(path, columns=flat).to_pandas(), list(schema.names)


def _csv(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    def read(rows: int | None = None) -> pd.DataFrame:
        kinds = {ARCH: "str"}
        return pd.read_csv(path, dtype=kinds, encoding="utf-8-sig", compression=None, low_memory=False, nrows=rows)

    try:
        frame = read()
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    except pd.errors.ParserError as error:
        if _other_separator(list(read(0).columns)):
            raise ValueError(DECIMAL_COMMAS) from error
        raise
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took the first entry of every row for its name
        more = "its rows have more entries than its first line has names; give every column a name"
        raise ValueError(DECIMAL_COMMAS if _other_separator(list(frame.columns)) else more)
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame, list(frame.columns)
