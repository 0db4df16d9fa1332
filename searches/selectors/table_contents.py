"""The contents of an uploaded table: a summary of every column, and the first rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.table import Table as EngineTable
from searches.models import Table

FIRST = 20


def inspected(row: Table, first: int = FIRST) -> dict[str, Any]:
    """Return the columns with their ranges and shares of known values, and the first rows.

    Raises DataError if the file is missing.
    """
    table = EngineTable.open(row.path)
    columns = [_column(table, column.name, column.type) for column in table.columns]
    names = table.number_names
    rows = [
        {"arch": arch, "numbers": [_known(table.numbers(name)[index]) for name in names]}
        for index, arch in enumerate(table.archs[:first])
    ]
    return {"columns": columns, "numbers": list(names), "rows": rows, "row_count": len(table)}


def _column(table: EngineTable, name: str, kind: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "type": kind, "known": None, "low": None, "mean": None, "high": None}
    if kind == "number":
        values = table.numbers(name)
        known = values[np.isfinite(values)]
        shown["known"] = len(known)
        if len(known):
            shown |= {"low": float(known.min()), "mean": float(known.mean()), "high": float(known.max())}
    return shown


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
