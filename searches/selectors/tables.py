"""What a table says about a whole space."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.table import Table
from searches.models import Search


def optimum(search: Search) -> dict[str, Any] | None:
    """The architecture with the best truth of the whole table; None without a table, its file or a truth column."""
    estimator = search.config["estimator"]
    truth = estimator.get("truth")
    if estimator["kind"] != "table" or not truth:
        return None
    path = search.table.path if search.table else Path(estimator["path"] or "").expanduser()
    try:
        arch, best = _best(path, path.stat().st_mtime_ns, truth)
    except (OSError, DataError):
        return None
    return {"arch": arch, "truth": best}


@lru_cache(maxsize=32)
def _best(path: Path, _changed: int, column: str) -> tuple[str, float]:
    table = Table.open(path)
    numbers = table.numbers(column)
    if np.isnan(numbers).all():
        raise DataError(f"The column '{column}' holds no number.")
    row = int(np.nanargmax(numbers))
    return table.archs[row], float(numbers[row])
