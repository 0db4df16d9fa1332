"""Latency tables: the time of every operator, so that the latency of a network is the sum over its nodes.

The sum is a model: it leaves out what a framework saves or loses between operators. `engine.networks.latency` measures
tables and whole networks on this machine, so that the model can be checked where it is used.

**Files.** A CSV file has the columns ``operator`` and ``milliseconds`` and one row for each operator, named as in
`engine.operators`. A JSON file is either ``{"operators": {name: milliseconds, ...}}`` or only the inner mapping; other
fields of the document may say how the table was measured, and are not read. Milliseconds are rounded to whole
nanoseconds, in which sums are exact.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from math import isfinite
from typing import Any

from engine import json_text
from engine.config.documents import TOO_DEEP
from engine.errors import ArchitectureError, DataError
from engine.operators import Operator

NANOSECONDS = 1_000_000
"""The number of nanoseconds in a millisecond."""
NAMED = 3
COLUMNS = ("operator", "milliseconds")
LONGEST_MS = 1e9


class LatencyTable:
    """The milliseconds of each operator; a table never changes."""

    def __init__(self, milliseconds: Mapping[Operator, float]) -> None:
        self._nanoseconds = {op: round(value * NANOSECONDS) for op, value in milliseconds.items()}

    @classmethod
    def read(cls, content: bytes) -> LatencyTable:
        """Return the table of a CSV or JSON file; DataError names the faulty row."""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("The file is not text in UTF-8; save the table as CSV or JSON.") from error
        return cls.of(_json(text) if text.lstrip().startswith(("{", "[")) else _csv(text))

    @classmethod
    def of(cls, named: Iterable[tuple[str, Any]]) -> LatencyTable:
        """Return the table of pairs of an operator's name and its milliseconds; DataError names the faulty pair."""
        table: dict[Operator, float] = {}
        for name, value in named:
            try:
                operator = Operator.parse(str(name))
            except ArchitectureError as error:
                raise DataError(f"Operator {len(table) + 1} of the table: {error}.") from error
            if operator in table:
                raise DataError(f"The operator '{operator.name}' is there twice; keep one.")
            table[operator] = _milliseconds(operator, value)
        if not table:
            raise DataError("The table names no operator.")
        return cls(table)

    def __len__(self) -> int:
        return len(self._nanoseconds)

    def __contains__(self, operator: Operator) -> bool:
        return operator in self._nanoseconds

    def nanoseconds(self, operators: Iterable[Operator]) -> int:
        """Return the sum over operators; DataError names an operator that the table lacks."""
        try:
            return sum(map(self._nanoseconds.__getitem__, operators))
        except KeyError as error:
            raise DataError(f"The latency table has no time for '{error.args[0].name}'.") from error

    def missing(self, operators: Iterable[Operator]) -> tuple[Operator, ...]:
        """Return the operators that the table lacks, each once, by name."""
        return tuple(sorted({op for op in operators if op not in self._nanoseconds}, key=lambda op: op.name))

    def refusal(self, operators: Iterable[Operator]) -> str | None:
        """Return why networks of these operators have no latency, naming what is missing; None if they have one."""
        wanted = set(operators)
        missing = self.missing(wanted)
        if not missing:
            return None
        named = "; ".join(operator.name for operator in missing[:NAMED])
        more = f"; and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        return (
            f"The latency table lacks {len(missing)} of this space's {len(wanted)} operators: {named}{more}. Measure "
            "a table for this space and these images, or add the operators to the file."
        )

    @cached_property
    def named(self) -> dict[str, float]:
        """Milliseconds by name, in alphabetical order: what a JSON file holds as ``operators``."""
        pairs = ((operator.name, value / NANOSECONDS) for operator, value in self._nanoseconds.items())
        return dict(sorted(pairs))

    @cached_property
    def content_hash(self) -> str:
        """Hex digest of all operators and their times; it does not depend on where they were measured."""
        return sha256(json.dumps(self.named).encode()).hexdigest()

    @staticmethod
    def csv_of(named: Mapping[str, float]) -> str:
        """Return a CSV file of milliseconds by name as text; `read` takes the file back unless it names no operator."""
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(named.items())
        return sink.getvalue()


def _milliseconds(operator: Operator, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not isfinite(number) or not 0 <= number <= LONGEST_MS:
        raise DataError(f"'{operator.name}': '{value}' is no number of milliseconds; give one of 0 or more.")
    return number


def _csv(text: str) -> Iterator[tuple[str, Any]]:
    rows = csv.reader(io.StringIO(text))
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if not set(COLUMNS) <= set(header):
            raise DataError(
                f"The first row must name the columns {' and '.join(COLUMNS)}; it has: {', '.join(header)}."
            )
        places = [header.index(name) for name in COLUMNS]
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(places):
                raise DataError(f"Row {rows.line_num} has {len(row)} cells, the first row has {len(header)}.")
            yield row[places[0]], row[places[1]]
    except csv.Error as error:
        raise DataError(f"Row {rows.line_num} cannot be read as CSV: {error}.") from error


def _json(text: str) -> Iterable[tuple[str, Any]]:
    try:
        document = json_text.load(text)
    except RecursionError as error:
        raise DataError(TOO_DEEP) from error
    except ValueError as error:
        raise DataError(f"The JSON cannot be read: {error}.") from error
    if isinstance(document, dict):
        document = document.get("operators", document)
    if not isinstance(document, dict):
        raise DataError('A JSON table is {"operators": {name: milliseconds, ...}}.')
    return document.items()
