"""CSV and Parquet tables of architectures: a column ``arch`` in the space's string form, and columns of numbers.

Cells without a number, and infinite ones, are unknown (NaN), never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import table_files
from engine.config.estimate import EstimateOptions
from engine.errors import ArchitectureError, ConfigError, DataError
from engine.estimate import Images
from engine.sources import Opened
from engine.space import Architecture, Choices, SearchSpace
from engine.table_files import ARCH

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A column as the form offers it; ``type`` is ``number``, ``text`` or ``other`` (for example lists)."""

    name: str
    type: str


class Table:
    """A table in memory, of which only the strings of ``arch`` and the columns of numbers are kept."""

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
    def open(cls, path: Path | str, *, strict: bool = False) -> Table:
        """Read a file; DataError says what is wrong with it and how to fix it.

        ``strict`` is for files that are new: it refuses what older versions read, such as rows that lack a cell.
        """
        frame, names, content_hash = table_files.read(Path(path), strict)
        archs = table_files.arch_column(frame, names)
        columns = [Column(name, table_files.column_type(frame, name)) for name in names]
        numbers = {
            c.name: _finite(frame[c.name].to_numpy(np.float64, na_value=np.nan)) for c in columns if c.type == "number"
        }
        texts = [c.name for c in columns if c.type == "text" and c.name != ARCH]
        spoilt = {name: found for name in texts if (found := table_files.spoilt(frame[name]))}
        return cls(archs, numbers, columns, content_hash, spoilt)

    def __len__(self) -> int:
        return len(self.archs)

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the columns that hold numbers, in the file's order."""
        return tuple(column.name for column in self.columns if column.type == "number")

    def numbers(self, name: str) -> Numbers:
        """Return a column of numbers, shape ``(rows,)``, NaN where unknown; DataError names the columns there are."""
        if name not in self._numbers:
            known = ", ".join(self.number_names) or "none"
            kind = "is not a column of numbers" if any(c.name == name for c in self.columns) else "is not there"
            if name in self._spoilt:
                kind = f"is text, since {self._spoilt[name]}"
            raise DataError(f"The column '{name}' {kind}; the table has columns of numbers: {known}.")
        return self._numbers[name]

    def best(self, name: str) -> tuple[str, float] | None:
        """Return the architecture with a column's largest number, as the file writes it, and the number.

        Return None if no number is known.
        """
        numbers = self.numbers(name)
        if np.isnan(numbers).all():
            return None
        row = int(np.nanargmax(numbers))
        return self.archs[row], float(numbers[row])

    def rounded(self, name: str, decimals: int) -> Table:
        """Return the same table with one column rounded, so that equal values tie."""
        numbers = {**self._numbers, name: np.round(self.numbers(name), decimals)}
        return Table(self.archs, numbers, self.columns, f"{self.content_hash}:{name}:{decimals}")

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each architecture, by the string in the file."""
        return {arch: row for row, arch in enumerate(self.archs)}


def _finite(numbers: Numbers) -> Numbers:
    finite = np.isfinite(numbers)
    return numbers if finite.all() else np.where(finite, numbers, np.nan)


class TableRows:
    """The rows of a table by architectures of a space, in whatever notation the file has them."""

    def __init__(self, table: Table, space: SearchSpace) -> None:
        self.table = table
        self.space = space

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of an architecture, or None if the table does not hold it."""
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
        """Return an architecture as the table writes it, if none of about ``looked_at`` rows names one of the space."""
        archs = self.table.archs[:: max(1, len(self.table) // looked_at)]
        for text in archs:
            with suppress(ArchitectureError):
                self.space.from_string(text)
                return None
        return archs[0]

    @property
    def known(self) -> Mapping[Choices, int]:
        """The row of each architecture of the space that the table names, by its choices."""
        return self._by_choices


def refuse_foreign(options: EstimateOptions, space: SearchSpace, images: Images | None, table: Opened | None) -> str:
    """Return an empty remark; raise ConfigError (``estimator.table``) if the table names no network of the space."""
    assert isinstance(table, Table)
    if foreign := TableRows(table, space).foreign():
        message = f"The table names no network of this space, but '{foreign}'; choose the space it is of."
        raise ConfigError.at("estimator.table", message)
    return ""


class TableCosts:
    """A table's cost column as `engine.problem.CostTable`: costs, and their ranges over the rows with a prefix.

    Rows are sorted by their choices once. The rows with a prefix are then a slice, found by bisection. For each layer
    two arrays of at most one number per row are kept.
    """

    def __init__(self, table: Table, space: SearchSpace, column: str) -> None:
        self._rows = TableRows(table, space)
        self._space = space
        self._costs = table.numbers(column)
        self._ranges: dict[int, tuple[NDArray[np.bytes_], Numbers, Numbers]] = {}
        self._default_ranges: dict[tuple[Choices, int], tuple[float, float]] = {}

    def cost(self, architecture: Architecture) -> float:
        """Return the table's cost of one network; NaN if the table does not hold it."""
        row = self._rows.row(architecture)
        return float("nan") if row is None else float(self._costs[row])

    def cost_range(self, prefix: Choices, until: int | None = None) -> tuple[float, float]:
        """Return least and largest known cost of the rows with ``prefix`` that keep defaults from ``until`` on.

        Return ``(NaN, NaN)`` if no such row has a cost.
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
        """Return all prefixes of a layer in order, with the least and the largest cost of the rows with each."""
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
        """Choices, shape ``(rows, layers)``, in lexicographic order, and their costs."""
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
    """Return bytes that sort as prefixes of one length do; numpy ignores trailing zeros, which is harmless here."""
    return b"".join(choice.to_bytes(2, "big") for choice in prefix)
