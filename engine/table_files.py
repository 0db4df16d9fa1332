"""Reading tables of architectures from files; a DataError says what is wrong with a file and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError
from engine.table_formats import ARCH, doubled, frame_of, other_separator
from engine.table_numbers import notations, numbers_of
from engine.table_packing import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ARCH", "arch_column", "column_type", "read", "spoilt"]


def read(path: Path, strict: bool = False) -> tuple[pd.DataFrame, list[str], str]:
    """Return the columns of plain values, the names of all columns, and the SHA-256 of the file.

    `engine.table.Table.open` explains ``strict``.
    """
    import pyarrow as pa

    try:
        with path.open("rb") as file:
            content_hash = file_digest(file, "sha256").hexdigest()
        with plain(path, strict) as unpacked:
            frame, names = frame_of(unpacked, strict)
    except (OSError, ValueError, pa.ArrowException) as error:
        known = isinstance(error, OSError) and error.strerror
        reason = str(known or error).strip().partition("\n")[0][:200].rstrip(".")
        raise DataError(f"'{path.name}' cannot be read as a CSV or Parquet table: {reason}.") from error
    return _with_numbers(frame), names, content_hash


def _with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each column of text that holds only numbers converted to numbers."""
    from pandas.api import types

    for index, (name, kind) in enumerate(frame.dtypes.items()):
        if name == ARCH or types.is_numeric_dtype(kind):
            continue
        numbers = numbers_of(frame.iloc[:, index])
        if numbers is not None:
            frame.isetitem(index, numbers.to_numpy())
    return frame


def arch_column(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the architectures; DataError names a row that has none, or one that an earlier row has, too."""
    if ARCH not in names:
        hint = " Separate the columns by commas." if other_separator(names) else ""
        raise DataError(
            f"The table needs a column '{ARCH}' with architectures; its columns are: {', '.join(names)}.{hint}"
        )
    if ARCH not in frame:
        raise DataError(f"The column '{ARCH}' holds lists, objects or bytes; write every architecture as text.")
    if len(frame) == 0:
        raise DataError("The table has no rows.")
    if (twice := doubled(names)) is not None:
        raise DataError(f"The column '{twice}' is there twice; give every column a name of its own.")
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
    """Return which cell keeps a column from being read as numbers; None if no cell looks like a number."""
    found = notations(column)
    return None if found is None else found.doubt()
