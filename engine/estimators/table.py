"""Scores looked up in a table: simulated trials on real results."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING

from engine.config.lookups import TableOptions, TabularOptions
from engine.errors import ConfigError, DataError, Stopped
from engine.estimate import Estimate
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop, never
from engine.table import Numbers, Table, TableRows
from engine.tabular_benchmarks import TABULAR_BENCHMARKS

if TYPE_CHECKING:
    from engine.datasets.base import ImageData


class TableEstimator:
    """Scores by the reward column; a trial is charged its row's seconds times the factor, and 0 without such a column.

    Negative seconds are refused, because they would increase the budget. ``terms["truth"]`` is the truth column's
    number, if the column is named and the number known. Seeds and fidelities change nothing.
    """

    def __init__(
        self,
        options: TableOptions | TabularOptions,
        space: SearchSpace,
        data: ImageData | None = None,
        table: Table | None = None,
    ) -> None:
        if table is None:
            raise ConfigError.at("estimator.table", "This estimate needs a table: name an uploaded one or a file.")
        assert options.source.columns is not None
        self.columns = options.source.columns
        self.rows = TableRows(table, space)
        self._reward = _column(table, self.columns.reward, "reward")
        self._truth = _column(table, self.columns.truth, "truth") if self.columns.truth else None
        self._seconds = _seconds(table, self.columns.seconds) if self.columns.seconds else None
        if self.columns.cost:
            _column(table, self.columns.cost, "cost")

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one `Estimate` for each item, in order."""
        estimates = []
        for item in items:
            if stop():
                raise Stopped("stopped between two look-ups")
            estimates.append(self._estimate(item, seed, fidelity))
        return estimates

    def seconds(self, item: Architecture) -> float | None:
        """Return the seconds that the trial will be charged; 0 for architectures that the table does not know."""
        row = self.rows.row(item)
        return 0.0 if row is None else self._charge(row)

    def _estimate(self, item: Architecture, seed: int, fidelity: str) -> Estimate:
        row = self.rows.row(item)
        if row is None:
            name = self.rows.space.to_string(item)
            return Estimate(None, seed=seed, fidelity=fidelity, error=f"The table has no row for '{name}'.")
        score = float(self._reward[row])
        seconds = self._charge(row)
        if isnan(score):
            error = f"The table's column '{self.columns.reward}' has no number for '{self.rows.table.archs[row]}'."
            return Estimate(None, seconds=seconds, seed=seed, fidelity=fidelity, error=error)
        terms = {}
        if self._truth is not None and not isnan(self._truth[row]):
            terms["truth"] = float(self._truth[row])
        return Estimate(score, terms, seconds=seconds, seed=seed, fidelity=fidelity)

    def _charge(self, row: int) -> float:
        seconds = 0.0 if self._seconds is None else float(self._seconds[row]) * self.columns.seconds_factor
        return seconds if isfinite(seconds) else 0.0


class TabularEstimator(TableEstimator):
    """Scores by a converted benchmark's table; ``options`` name what was measured, not columns."""

    def __init__(
        self, options: TabularOptions, space: SearchSpace, data: ImageData | None = None, table: Table | None = None
    ) -> None:
        benchmark = TABULAR_BENCHMARKS[options.name]
        if space.kind != benchmark.space:
            raise ConfigError.at("estimator.name", f"{benchmark.label} is a table of the space {benchmark.space} only.")
        super().__init__(options, space, data, table)


def _column(table: Table, name: str, field: str) -> Numbers:
    try:
        return table.numbers(name)
    except DataError as error:
        raise ConfigError.at(f"estimator.{field}", str(error)) from error


def _seconds(table: Table, name: str) -> Numbers:
    seconds = _column(table, name, "seconds")
    negative = seconds < 0
    if negative.any():
        row = int(negative.argmax())
        message = f"Row {row + 1} of the column '{name}' holds {seconds[row]:g}; no trial takes negative seconds."
        raise ConfigError.at("estimator.seconds", message)
    return seconds
