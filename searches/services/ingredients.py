"""The rows and files that a configuration names; ConfigError names the field of one that the owner does not have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from engine.config.datasets import DatasetOptions, UploadOptions
from engine.config.search import ESTIMATE_PATHS, Objective, SearchConfig
from engine.errors import ConfigError, at_estimate
from engine.sources import Source
from searches.models import Dataset, LatencyTable, Table
from searches.selectors import tabular

NO_FOLDERS = "Folders of the server are not read on request; upload a zip instead."
NO_FILES = "Files of the server are not read on request; upload the table instead."


@dataclass(frozen=True)
class Ingredients:
    """The rows and files that a configuration names.

    ``tables`` and ``places`` have an entry for each stage: the row of an uploaded table, and where its estimate looks
    scores up, or None. ``written`` says when each place was last written. ``root`` is the folder of the data's files.
    """

    dataset: Dataset | None
    latency: LatencyTable | None
    tables: tuple[Table | None, ...]
    places: tuple[Path | None, ...]
    written: tuple[int | None, ...]
    root: Path


def find(owner: Any, config: SearchConfig, *, local_files: bool) -> Ingredients:
    """Return the rows and places that a configuration names.

    Without ``local_files`` a configuration that names a file or a folder of this machine is refused.
    """
    dataset = dataset_row(owner, config.dataset, local_files=local_files)
    latency = _latency_row(owner, config.objective)
    found = [
        _look_up(owner, options.source, path, local_files)
        for path, options in zip(ESTIMATE_PATHS, config.estimators, strict=False)
    ]
    tables = tuple(table for table, _ in found)
    places = tuple(place for _, place in found)
    return Ingredients(dataset, latency, tables, places, tuple(map(_written, places)), root_of(dataset))


def dataset_row(owner: Any, options: DatasetOptions | None, *, local_files: bool) -> Dataset | None:
    """Return the row of uploaded images, or None for other data; folders of this machine need ``local_files``."""
    if options is not None and options.is_local and not local_files:
        raise ConfigError.at(options.field, NO_FOLDERS)
    if not isinstance(options, UploadOptions):
        return None
    row = Dataset.objects.filter(owner=owner, pk=options.id).first()
    if row is None:
        raise ConfigError.at("dataset.id", f"You have no data set {options.id}; upload one or choose another.")
    return row


def root_of(dataset: Dataset | None) -> Path:
    """Return the folder with the files of uploaded images, or of all other data sets."""
    return dataset.folder if dataset is not None else Path(settings.NASWEB_HOME) / "data"


def _latency_row(owner: Any, objective: Objective) -> LatencyTable | None:
    """Return the latency table that a search names, ready to be used."""
    number = objective.latency_table
    wanted = objective.latency_hash
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


def _look_up(owner: Any, source: Source | None, path: str, local_files: bool) -> tuple[Table | None, Path | None]:
    """Return the row of an uploaded table, and the place of a source; ``path`` is its estimate's field."""
    if source is None:
        return None, None
    if source.path and not local_files:
        raise ConfigError.at(f"{path}.{source.field}", NO_FILES)
    if source.row is not None:
        row = Table.objects.filter(owner=owner, pk=source.row).first()
        if row is None:
            message = f"You have no table {source.row}; upload one or choose another."
            raise ConfigError.at(f"{path}.{source.field}", message)
        return row, row.path
    with at_estimate(path):
        place = source.find(tabular.folder())
    if place is None:
        raise ConfigError.at(f"{path}.{source.field}", tabular.not_ready(owner, str(source.official)))
    return None, place


def _written(place: Path | None) -> int | None:
    """Return the time of a file's last change in nanoseconds, or None if there is no file that can be looked at."""
    try:
        return place.stat().st_mtime_ns if place is not None else None
    except (OSError, ValueError):
        return None
