"""The rows and files that a configuration names; ConfigError at the field of what the owner does not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.config.datasets import DatasetOptions, UploadOptions
from engine.config.search import SearchConfig
from engine.errors import ConfigError, FieldError
from engine.sources import Source
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


def look_up(owner: Any, source: Source | None, path: str) -> tuple[Table | None, Path | None]:
    """Return the row of an uploaded table and the place of what is looked up in; None for what there is not.

    ``path`` is where the estimate stands in the configuration.
    """
    if source is None:
        return None, None
    if source.row is not None:
        row = Table.objects.filter(owner=owner, pk=source.row).first()
        if row is None:
            raise ConfigError.at(f"{path}.table", f"You have no table {source.row}; upload one or choose another.")
        return row, row.path
    with at_stage(path):
        place = source.find(benchmarks.folder())
    if place is None:
        raise ConfigError.at(f"{path}.{source.field}", benchmarks.not_ready(owner, str(source.official)))
    return None, place


@contextmanager
def at_stage(path: str) -> Iterator[None]:
    """Put complaints about an estimate at the fields of the stage that it belongs to."""
    try:
        yield
    except ConfigError as error:
        own = [FieldError(item.path.replace("estimator", path, 1), item.message) for item in error.errors]
        raise ConfigError(own) from error
