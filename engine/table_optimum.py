"""What the best network of a table reaches that meets a search's limits."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import numpy as np

from engine.config.search import Bounds
from engine.errors import ArchitectureError
from engine.limits import Limit
from engine.problem import TABLE_METRIC
from engine.space import SearchSpace
from engine.table import Table


def best_within(
    table: Table, space: SearchSpace, limits: Sequence[Bounds], column: str, cost: str | None, seconds: float
) -> tuple[str, float] | None:
    """As `Table.best`, among the networks of the space that meet the limits; None where none does.

    Limits of a table cost are read from the column ``cost``. Other costs are counted network by network, from the best
    one on, until one meets its limits; TimeoutError when none did after ``seconds``.
    """
    numbers = table.numbers(column)
    allowed = ~np.isnan(numbers)
    counted = []
    for metric, lo, hi in limits:
        limit = Limit(metric, lo, hi)
        if metric == TABLE_METRIC:
            costs = table.numbers(cost or "")
            allowed &= (limit.lo <= costs) & (costs <= limit.hi)
        else:
            counted.append(limit)
    rows = np.flatnonzero(allowed)
    deadline = monotonic() + seconds
    for row in rows[np.argsort(-numbers[rows], kind="stable")].tolist():
        if monotonic() > deadline:
            raise TimeoutError(f"no network was found within the limits in {seconds:g} seconds")
        try:
            network = space.cost(space.from_string(table.archs[row]))
        except ArchitectureError:
            continue
        if all(limit.meets(known, known) for limit in counted for known in [network.metric(limit.metric)]):
            return table.archs[row], float(numbers[row])
    return None
