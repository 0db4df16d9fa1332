"""The best network of a table that meets a search's limits."""

from __future__ import annotations

from time import monotonic

import numpy as np

from engine.errors import ArchitectureError
from engine.problem import SearchProblem
from engine.table import Table


def best_within(table: Table, problem: SearchProblem, column: str, seconds: float) -> tuple[str, float] | None:
    """Return the same as `Table.best`, among the feasible networks of the problem; None if there is none.

    Rows are tried from the best one on; TimeoutError if none was feasible after ``seconds``.
    """
    numbers = table.numbers(column)
    known = np.flatnonzero(~np.isnan(numbers))
    deadline = monotonic() + seconds
    for row in known[np.argsort(-numbers[known], kind="stable")].tolist():
        if monotonic() > deadline:
            raise TimeoutError(f"no network was found within the limits in {seconds:g} seconds")
        try:
            network = problem.space.from_string(table.archs[row])
        except ArchitectureError:
            continue
        if problem.feasible(network):
            return table.archs[row], float(numbers[row])
    return None
