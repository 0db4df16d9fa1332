"""Limits on the rows and columns of tables of text, checked before a table is read into memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_VALUES = 100_000_000
"""Most rows times columns of Parquet and JSON; a file's own size says little, because rows may leave cells out."""
MOST_COLUMNS = 10_000
"""Most columns of CSV and JSON."""
BLOCK = 1 << 24
"""Bytes that Arrow reads at a time; no row may be longer."""
LONGEST_LINE = 1 << 22
"""Most characters of a first line of CSV, and of a line of JSON."""


class _Field:
    """A field of JSON objects: the fields of the objects in it, and the items of the lists in it."""

    def __init__(self) -> None:
        self.fields: dict[str, _Field] = {}
        self.items: _Field | None = None
        self.count = 0
        """The number of items in all lists, if this field stands for such items."""

    def values(self, rows: int) -> int:
        """Return how many values Arrow keeps for all fields inside, if it keeps ``rows`` values for this field."""
        inner = sum(rows + field.values(rows) for field in self.fields.values())
        return inner + (self.items.count + self.items.values(self.items.count) if self.items else 0)


class _Fields:
    """All fields of the objects of a file; columns are those at the top."""

    def __init__(self) -> None:
        self.top = _Field()
        self.known = 0

    def add(self, value: Any, field: _Field) -> None:
        """Count the fields of a value; ValueError if there are more than `MOST_COLUMNS`."""
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in field.fields:
                    self._count()
                    field.fields[name] = _Field()
                if isinstance(inner, dict | list):
                    self.add(inner, field.fields[name])
        else:
            if field.items is None:
                self._count()
                field.items = _Field()
            field.items.count += len(value)
            for inner in value:
                if isinstance(inner, dict | list):
                    self.add(inner, field.items)

    def _count(self) -> None:
        self.known += 1
        if self.known > MOST_COLUMNS:
            raise ValueError(f"its objects have more than {MOST_COLUMNS:,} different fields")


def refuse_many_values(path: Path) -> None:
    """Raise ValueError for JSON lines with more fields than `MOST_COLUMNS` or more values than `MOST_VALUES`.

    A row has a value in every column, because Arrow fills the columns that an object lacks. ValueError names a line
    that is not one JSON object.
    """
    fields = _Fields()
    rows = 0
    try:
        for line in _lines(path):
            if line.strip():
                rows += 1
                fields.add(_object(line, rows), fields.top)
        values = fields.top.values(rows)
    except RecursionError as error:
        raise ValueError("its objects are nested too deeply") from error
    if values > MOST_VALUES:
        raise ValueError(
            f"with every field in every row it has {values:,} values, and at most {MOST_VALUES:,} are allowed"
        )


def _object(line: str, row: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"every line must be one JSON object; row {row} is not ({error})") from error
    if not isinstance(value, dict):
        raise ValueError(f"every line must be one JSON object; row {row} is not")
    return value


def refuse_long_header(path: Path, separator: str, skipped: int) -> None:
    """Raise ValueError for CSV whose first line that is not empty, after ``skipped`` ones, names too many columns."""
    lines = _lines(path)
    for _ in range(skipped):
        next(lines, "")
    try:
        rows = csv.reader(lines, delimiter=separator)
        names = next((row for row in rows if len(row) > 1 or "".join(row).strip()), [])
    except csv.Error as error:
        raise ValueError(f"its first line cannot be read ({error})") from error
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"its first line names {len(names):,} columns, and at most {MOST_COLUMNS:,} are allowed")


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text one by one, with their ends; ValueError for one that is too long."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise ValueError(f"it has a line of more than {LONGEST_LINE:,} characters")
            yield line
