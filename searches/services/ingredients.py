"""The rows and files that a configuration names; ConfigError at the field of what the owner does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.benchmark_tables import nasbench301
from engine.config.datasets import DatasetOptions, UploadOptions
from engine.config.estimators import BenchmarkOptions, EstimatorOptions, NasBench301Options, TableOptions
from engine.config.search import SearchConfig
from engine.errors import ConfigError
from searches.models import Dataset, LatencyTable, Table
from searches.selectors import benchmarks


def dataset_row(owner: Any, options: DatasetOptions | None) -> Dataset | None:
    """The row of uploaded images; None for other data."""
    if not isinstance(options, UploadOptions):
        return None
    row = Dataset.objects.filter(owner=owner, pk=options.id).first()
    if row is None:
        raise ConfigError.at("dataset.id", f"You have no data set {options.id}; upload one or choose another.")
    return row


def latency_row(owner: Any, config: SearchConfig) -> LatencyTable | None:
    """The latency table that a search names, ready to be used."""
    number, wanted = config.objective.latency_table, config.objective.latency_hash
    if number is None:
        return None
    row = LatencyTable.objects.filter(owner=owner, pk=number).first()
    if row is None:
        problem = f"You have no latency table {number}; measure or upload one, or choose another."
    elif row.is_open:
        problem = f"“{row.name}” is still being measured, {row.done} of {row.total} operators; wait until it is ready."
    elif row.status != LatencyTable.Status.READY:
        problem = f"“{row.name}” was not measured to its end ({row.error or row.status}); choose another."
    elif wanted not in (None, row.content_hash):
        problem = f"“{row.name}” holds other times than the table this search was made with (latency_hash)."
    else:
        return row
    raise ConfigError.at("objective.latency_table", problem)


def table_row(owner: Any, options: EstimatorOptions, path: str) -> Table | None:
    """The row of an uploaded table; None for other estimates. ``path`` is where they stand in the configuration."""
    if not isinstance(options, TableOptions) or options.table is None:
        return None
    row = Table.objects.filter(owner=owner, pk=options.table).first()
    if row is None:
        raise ConfigError.at(f"{path}.table", f"You have no table {options.table}; upload one or choose another.")
    return row


def table_place(owner: Any, options: EstimatorOptions, row: Table | None, path: str) -> Path | None:
    """The file of a table or a converted benchmark, a surrogate's folder; None for estimates that look nothing up."""
    if row is not None:
        return row.path
    if isinstance(options, BenchmarkOptions):
        place = benchmarks.converted(options.name)
        if not place.exists():
            raise ConfigError.at(f"{path}.name", benchmarks.what_to_do(owner, options.name))
        return place
    if isinstance(options, NasBench301Options):
        needed = benchmarks.surrogate_to_do(owner, options.version)
        if needed:
            raise ConfigError.at(f"{path}.version", f"NAS-Bench-301's surrogate is not ready on this machine. {needed}")
        return nasbench301.find(benchmarks.folder(), options.version)
    if not isinstance(options, TableOptions) or options.path is None:
        return None
    try:
        return Path(options.path).expanduser()
    except RuntimeError as error:
        raise ConfigError.at(f"{path}.path", "There is no such user's home (~); write the whole path.") from error
