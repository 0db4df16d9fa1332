"""What a table says about a whole space."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.config.estimators import BenchmarkOptions, EstimatorOptions, TableOptions
from engine.config.search import SearchConfig
from engine.errors import DataError
from engine.table import Table
from searches.models import Search
from searches.selectors import benchmarks


def optimum(search: Search) -> dict[str, Any] | None:
    """The architecture with the best truth of the whole table; None without a table, its file or a truth column."""
    options: EstimatorOptions = SearchConfig.stored(search.config).estimator
    if isinstance(options, BenchmarkOptions):
        options = options.as_table(str(benchmarks.converted(options.name)))
    if not isinstance(options, TableOptions) or not (truth := options.truth):
        return None
    path = search.table.path if search.table else Path(options.path or "").expanduser()
    try:
        best = _best(path, path.stat().st_mtime_ns, truth)
    except (OSError, DataError):
        return None
    return None if best is None else {"arch": best[0], "truth": best[1]}


@lru_cache(maxsize=32)
def _best(path: Path, _changed: int, column: str) -> tuple[str, float] | None:
    return Table.open(path).best(column)
