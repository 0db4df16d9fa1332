"""CSV and Parquet tables of architectures: a column ``arch`` in the space's string form, and numbers of all kinds.

Cells without a number are unknown (NaN), never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ArchitectureError, DataError
from engine.space import Architecture, Choices, SearchSpace

if TYPE_CHECKING:
    import pandas as pd

ARCH = "arch"
MOST_VALUES = 100_000_000
"""Rows times columns of a Parquet file, which may hold them in a millionth of the memory that they take."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A column as the form offers it; ``type`` is ``number``, ``text`` or ``other`` (lists and the like)."""

    name: str
    type: str


class Table:
    """A table in memory: only the strings of ``arch`` and the columns of numbers are kept."""

    def __init__(
        self,
        archs: Sequence[str],
        numbers: Mapping[str, Numbers],
        columns: Sequence[Column],
        content_hash: str,
        spoilt: Mapping[str, str] | None = None,
    ) -> None:
        self.archs = tuple(archs)
        self.columns = tuple(columns)
        self.content_hash = content_hash
        self._numbers = dict(numbers)
        self._spoilt = dict(spoilt or {})

    @classmethod
    def open(cls, path: Path | str) -> Table:
        """Reads a file; DataError says what is wrong with it and how to mend it."""
        import pyarrow as pa

        path = Path(path)
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
        archs = _arch_column(frame, names)
        columns = [Column(name, _type(frame, name)) for name in names]
        numbers = {c.name: frame[c.name].to_numpy(np.float64, na_value=np.nan) for c in columns if c.type == "number"}
        texts = [c.name for c in columns if c.type == "text" and c.name != ARCH]
        spoilt = {name: found for name in texts if (found := _spoilt(frame[name]))}
        return cls(archs, numbers, columns, content_hash, spoilt)

    def __len__(self) -> int:
        return len(self.archs)

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the columns that hold numbers, in the file's order."""
        return tuple(column.name for column in self.columns if column.type == "number")

    def numbers(self, name: str) -> Numbers:
        """A column of numbers, shape ``(rows,)``, NaN where unknown; DataError names the columns there are."""
        if name not in self._numbers:
            known = ", ".join(self.number_names) or "none"
            kind = "is not a column of numbers" if any(c.name == name for c in self.columns) else "is not there"
            if name in self._spoilt:
                kind = f"is text, since {self._spoilt[name]}"
            raise DataError(f"The column '{name}' {kind}; the table has columns of numbers: {known}.")
        return self._numbers[name]

    def best(self, name: str) -> tuple[str, float] | None:
        """The architecture with a column's largest number, as the file writes it; None where no number is known."""
        numbers = self.numbers(name)
        if np.isnan(numbers).all():
            return None
        row = int(np.nanargmax(numbers))
        return self.archs[row], float(numbers[row])

    def rounded(self, name: str, decimals: int) -> Table:
        """The same table with one column rounded, so that equal values tie."""
        numbers = {**self._numbers, name: np.round(self.numbers(name), decimals)}
        return Table(self.archs, numbers, self.columns, f"{self.content_hash}:{name}:{decimals}")

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Row by the file's own architecture strings."""
        return {arch: row for row, arch in enumerate(self.archs)}


class TableRows:
    """Rows of a table by architectures of a space, however the file spells them."""

    def __init__(self, table: Table, space: SearchSpace) -> None:
        self.table = table
        self.space = space

    def row(self, architecture: Architecture) -> int | None:
        """The row of an architecture, or None."""
        name = self.space.to_string(architecture)
        row = self.table.row_of.get(name)
        return self._by_choices.get(architecture.choices) if row is None else row

    @cached_property
    def _by_choices(self) -> Mapping[Choices, int]:
        rows: dict[Choices, int] = {}
        for row, text in enumerate(self.table.archs):
            try:
                rows.setdefault(self.space.from_string(text).choices, row)
            except ArchitectureError:
                continue
        return rows

    def foreign(self, looked_at: int = 200) -> str | None:
        """An architecture as the table writes it, when none of about ``looked_at`` rows names one of the space."""
        archs = self.table.archs[:: max(1, len(self.table) // looked_at)]
        for text in archs:
            with suppress(ArchitectureError):
                self.space.from_string(text)
                return None
        return archs[0]

    @property
    def known(self) -> Mapping[Choices, int]:
        """Row by choices, for all rows that name an architecture of the space."""
        return self._by_choices


class TableCosts:
    """A table's cost column as `engine.problem.CostTable`: costs, and their ranges over the rows behind a prefix.

    Rows are sorted by their choices once; a prefix is then a slice of them, found by bisection. Per layer two arrays
    of at most one number a row are kept.
    """

    def __init__(self, table: Table, space: SearchSpace, column: str) -> None:
        self._rows = TableRows(table, space)
        self._space = space
        self._costs = table.numbers(column)
        self._ranges: dict[int, tuple[NDArray[np.bytes_], Numbers, Numbers]] = {}
        self._default_ranges: dict[tuple[Choices, int], tuple[float, float]] = {}

    def cost(self, architecture: Architecture) -> float:
        """The table's cost of one network; NaN when the table does not hold it."""
        row = self._rows.row(architecture)
        return float("nan") if row is None else float(self._costs[row])

    def cost_range(self, prefix: Choices, until: int | None = None) -> tuple[float, float]:
        """Least and largest known cost of the rows that begin with ``prefix`` and keep defaults from ``until`` on.

        ``(NaN, NaN)`` when no such row has a cost.
        """
        if until is None or until >= self._space.depth:
            return self._behind(prefix)
        if len(prefix) >= until:
            cost = self.cost(self._space.complete(prefix))
            return cost, cost
        key = prefix, until
        if key not in self._default_ranges:
            self._default_ranges[key] = self._with_defaults(prefix, until)
        return self._default_ranges[key]

    def _behind(self, prefix: Choices) -> tuple[float, float]:
        prefixes, least, largest = self._layer(len(prefix))
        key = _key(prefix)
        place = int(np.searchsorted(prefixes, key)) if prefix else 0
        if place == len(prefixes) or (prefix and prefixes[place] != key.rstrip(b"\0")):
            return float("nan"), float("nan")
        return float(least[place]), float(largest[place])

    def _layer(self, layer: int) -> tuple[NDArray[np.bytes_], Numbers, Numbers]:
        """All prefixes of a layer in order, with the least and the largest cost behind each."""
        if layer not in self._ranges:
            choices, costs = self._sorted
            heads = choices[:, :layer]
            new = np.ones(len(heads), dtype=bool)
            new[1:] = (heads[1:] != heads[:-1]).any(axis=1)
            starts = np.flatnonzero(new)
            keys = np.array([_key(tuple(row)) for row in heads[starts].tolist()], dtype=f"S{max(2 * layer, 1)}")
            empty = np.empty(0)
            least = np.fmin.reduceat(costs, starts) if len(starts) else empty
            largest = np.fmax.reduceat(costs, starts) if len(starts) else empty
            self._ranges[layer] = keys, least, largest
        return self._ranges[layer]

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.uint16], Numbers]:
        """Choices ``(rows, L)`` in lexicographic order, and their costs."""
        known = sorted(self._rows.known.items())
        choices = np.array([choices for choices, _ in known], dtype=np.uint16).reshape(len(known), self._space.depth)
        return choices, self._costs[[row for _, row in known]]

    def _with_defaults(self, prefix: Choices, until: int) -> tuple[float, float]:
        costs = [
            float(self._costs[row])
            for choices, row in self._rows.known.items()
            if choices[: len(prefix)] == prefix and self._space.complete(choices[:until]).choices == choices
        ]
        known = [cost for cost in costs if cost == cost]
        return (min(known), max(known)) if known else (float("nan"), float("nan"))


def _key(prefix: Choices) -> bytes:
    """Bytes that sort as the prefixes of one length do (numpy ignores trailing zeros, which is harmless then)."""
    return b"".join(choice.to_bytes(2, "big") for choice in prefix)


def _parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The columns of plain values, and the names of all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = pq.read_metadata(path)
    rows, columns = facts.num_rows, facts.num_columns
    if rows * columns > MOST_VALUES:
        raise ValueError(f"{rows:,} rows of {columns:,} columns are more than {MOST_VALUES:,} values")
    schema = pq.read_schema(path)
    flat = [name for name in schema.names if not pa.types.is_nested(schema.field(name).type)]
    return pq.read_table(path, columns=flat).to_pandas(), list(schema.names)


def _csv(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype={ARCH: "str"}, encoding="utf-8-sig", compression=None, low_memory=False)
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took the first entry of every row for its name
        raise ValueError("its rows have more entries than its first line has names; give every column a name")
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame, list(frame.columns)


def _arch_column(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    if ARCH not in names:
        hint = " Separate the columns by commas." if len(names) == 1 and set(names[0]) & set(";\t|") else ""
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


def _spoilt(column: pd.Series[Any]) -> str | None:
    """Which entry keeps a column from being one of numbers; None where none of its entries is a number."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.isna().all():
        return None
    wrong = (numbers.isna() & column.notna()).to_numpy()
    row = int(wrong.argmax())
    return f"row {row + 1} holds '{column.iloc[row]}'" if wrong.any() else None


def _type(frame: pd.DataFrame, name: str) -> str:
    from pandas.api import types

    if name not in frame:
        return "other"
    if name == ARCH or not types.is_numeric_dtype(frame[name]) or types.is_complex_dtype(frame[name]):
        return "text"
    return "number"
