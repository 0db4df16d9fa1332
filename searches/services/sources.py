"""Adding and deleting of data sets, tables and spaces; after an error nothing half-created stays behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from engine.blueprint import InputSpec
from engine.config.base import storable
from engine.config.documents import read_yaml
from engine.config.spaces import ChainOptions
from engine.datasets.archive import unpack
from engine.errors import ConfigError, DataError, FieldError
from engine.registry import create_space
from engine.table import Table as EngineTable
from searches.models import Dataset, Search, SearchSpace, Table
from searches.selectors.spaces import DEFINED_FOR, described
from searches.services.errors import ActionRefused

SHOWN = 5
LONGEST_NAME, LONGEST_SUFFIX = 200, 20
"""The number of bytes kept of an upload's name (the last ones) and of characters of its suffix (the first ones)."""


def add_dataset(owner: Any, name: str, file: UploadedFile) -> Dataset:
    """Unpack a zip of class folders into a new data set; DataError names what is wrong with it."""
    incoming = _folder("datasets") / f".incoming-{uuid4().hex}"
    try:
        with _stored(file) as archive:
            summary = unpack(archive, incoming)
        with transaction.atomic():
            row = Dataset.objects.create(
                owner=owner,
                name=name,
                channels=summary.channels,
                height=summary.side,
                width=summary.side,
                class_names=list(summary.class_names),
                class_counts=dict(summary.class_counts),
                train_count=summary.train_count,
                test_count=summary.test_count,
                content_hash=summary.digest,
            )
            incoming.rename(row.folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return row


def add_table(owner: Any, name: str, file: UploadedFile) -> Table:
    """Store a CSV or Parquet table; DataError names what is wrong with it."""
    with _stored(file) as path:
        table = EngineTable.open(path, strict=True)
        with transaction.atomic():
            row = Table.objects.create(
                owner=owner,
                name=name,
                filename=f"{uuid4().hex}{path.suffix.lower()[:LONGEST_SUFFIX]}",
                columns=[asdict(column) for column in table.columns],
                rows=len(table),
                content_hash=table.content_hash,
            )
            path.rename(_folder("tables") / row.filename)
    return row


def save_space(owner: Any, name: str, definition: Mapping[str, Any] | str) -> SearchSpace:
    """Save a chain, given as a mapping or as YAML; a definition that is saved already only gets the new name.

    ConfigError names the faulty part, below ``definition``.
    """
    options = ChainOptions(definition=_mapping(definition))
    try:
        space = create_space(options, DEFINED_FOR)
    except ConfigError as error:
        raise ConfigError([FieldError(e.path.removeprefix("space."), e.message) for e in error.errors]) from error
    fields = {"kind": options.kind, "options": options.model_dump(mode="json"), "size": str(space.size)}
    row, _ = SearchSpace.objects.update_or_create(
        owner=owner, content_hash=space.content_hash, defaults={"name": name, "depth": space.depth, **fields}
    )
    return row


def check_space(definition: Mapping[str, Any] | str, spec: InputSpec) -> dict[str, Any]:
    """Describe a chain for these images (`selectors.spaces.described`), with its options; nothing is saved.

    ConfigError names the faulty part, below ``definition``.
    """
    options = ChainOptions(definition=_mapping(definition))
    try:
        space = create_space(options, spec)
    except ConfigError as error:
        raise ConfigError([FieldError(e.path.removeprefix("space."), e.message) for e in error.errors]) from error
    return {**described(space), "options": options.model_dump(mode="json")}


def delete_dataset(row: Dataset) -> None:
    """Delete a data set with its images; raises ActionRefused while a search or a full training uses it."""
    trained = Search.objects.filter(candidates__trainings__dataset=row)
    if named := _named(trained):
        raise ActionRefused(f"'{row.name}' is used by full trainings of search {named}; delete those first.")
    delete_unused(row, partial(shutil.rmtree, row.folder, ignore_errors=True))


def delete_table(row: Table) -> None:
    """Delete a table with its file; raises ActionRefused while a search uses it."""
    delete_unused(row, partial(row.path.unlink, missing_ok=True), row.final_searches)


def delete_space(row: SearchSpace) -> None:
    """Delete a space; raises ActionRefused while a search uses it."""
    delete_unused(row)


def delete_unused(row: Any, files: Any = None, more_searches: Any = None) -> None:
    """Delete a row and its files; ActionRefused names the searches that use it."""
    with transaction.atomic():
        searches = row.searches.all() if more_searches is None else row.searches.all() | more_searches.all()
        if named := _named(searches):
            raise ActionRefused(f"'{row.name}' is used by search {named}; delete that first.")
        row.delete()
        if files is not None:
            transaction.on_commit(files)


def _named(searches: QuerySet[Search]) -> str:
    """Return number and name of the first `SHOWN` of these searches as text; empty if there are none."""
    used = list(searches.order_by("id").distinct().values_list("id", "name")[: SHOWN + 1])
    return ", ".join(f"{pk} ({name})" for pk, name in used[:SHOWN]) + (" and others" if len(used) > SHOWN else "")


def _mapping(definition: Mapping[str, Any] | str) -> dict[str, Any]:
    if isinstance(definition, str):
        definition = read_yaml(definition, "definition")
    if not isinstance(definition, Mapping):
        raise ConfigError.at("definition", "The definition must be a mapping with the fields name, stem, layers, head.")
    try:
        return storable({str(key): value for key, value in definition.items()})
    except ValueError as error:
        raise ConfigError.at("definition", str(error)) from error


@contextmanager
def _stored(file: UploadedFile) -> Iterator[Path]:
    """Yield the upload as a temporary file with the upload's name; raises DataError if it exceeds the limit."""
    limit = settings.NASWEB_MAX_UPLOAD_MB
    if (file.size or 0) > limit * 1_000_000:
        size = f"the file has {(file.size or 0) / 1e6:.0f} MB, the limit is {limit} MB"
        raise DataError(f"{size}; make it smaller or raise NASWEB_MAX_UPLOAD_MB")
    with TemporaryDirectory(dir=_folder("uploads")) as folder:
        name = Path(file.name or "upload").name.encode()[-LONGEST_NAME:].decode(errors="ignore")
        path = Path(folder) / name
        with path.open("xb") as sink:
            for block in file.chunks():
                sink.write(block)
        yield path


def _folder(name: str) -> Path:
    folder = Path(settings.NASWEB_HOME) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
