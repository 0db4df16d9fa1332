"""The best network of a table within the limits of a search."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.config.search import Objective
from engine.errors import EngineError
from engine.problem import SearchProblem
from engine.space import SearchSpace
from engine.table import Table, TableCosts
from engine.table_optimum import best_within
from searches.models import Search
from searches.selectors import spaces, tabular

MOMENT = 2.0
"""Seconds that the search for the best network within the limits may take."""


def optimum(search: Search) -> dict[str, Any] | None:
    """Return the table's architecture with the best truth that meets the search's limits.

    Return None if there is no such network, no table, no file or no truth column. ``limits`` is ``none`` if the search
    has no limits, ``met`` if the network meets them, or ``ignored`` if no network within the limits was found in
    `MOMENT` seconds, so that the answer is the best network of the whole table.
    """
    config = search.configuration
    source = config.estimator.source
    columns = source.columns if source is not None else None
    if source is None or columns is None or columns.truth is None:
        return None
    objective = config.objective
    limited = any(lo is not None or hi is not None for _, lo, hi in objective.limits)
    space = spaces.limited(search, [metric for metric, _, _ in objective.limits]) if limited else None
    try:
        path = search.table.path if search.table else source.find(tabular.folder())
        if path is None:
            return None
        return _optimum(path, path.stat().st_mtime_ns, columns.truth, columns.cost, space, objective)
    except (OSError, EngineError):
        return None


@lru_cache(maxsize=32)
def _optimum(
    path: Path, _changed: int, truth: str, cost: str | None, space: SearchSpace | None, objective: Objective
) -> dict[str, Any] | None:
    table = Table.open(path)
    limits = "none"
    best = table.best(truth)
    if space is not None:
        problem = SearchProblem(space, objective, TableCosts(table, space, cost) if cost else None)
        try:
            best = best_within(table, problem, truth, MOMENT)
            limits = "met"
        except TimeoutError:
            limits = "ignored"
    return None if best is None else {"arch": best[0], "truth": best[1], "limits": limits}
