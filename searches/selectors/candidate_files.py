"""The candidates of a search as one file in the chosen format; rows are read in parts of limited size."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet

from engine.metrics import METRICS
from searches.models import Candidate
from searches.selectors import calibrations, candidates
from searches.selectors.strict_json import finite

COLUMNS = (
    "id",
    "number",
    "round",
    "arch",
    "status",
    "feasible",
    *METRICS,
    "layer",
    "bucket",
    "parent_number",
    "origin",
    "from_cache",
    "error",
    "pinned",
    "hidden",
    "tags",
    "note",
)
"""The columns of CSV and Parquet; a column for each term of the scores follows, such as ``term_landscape``."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """Yield a header, then a line for each candidate, by number: unknown values are empty, commas separate tags.

    Text that begins as a formula does gets an apostrophe in front, so that no spreadsheet runs it.
    """
    terms = candidates.term_names(rows)
    yield _lines([_header(terms)])
    for part in candidates.chunks(rows):
        yield _lines([_harmless(cell) for cell in _cells(row, terms)] for row in part)


def json_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """Yield an array of candidates by number, each as `candidates.document` has it."""
    before = "["
    for part in candidates.chunks(rows):
        shown = (finite(candidates.document(row)) for row in part)
        yield (before + ",\n".join(json.dumps(row, allow_nan=False) for row in shown)).encode()
        before = ",\n"
    yield b"[]" if before == "[" else b"]"


def parquet_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """Yield the columns of the CSV with their types; unknown values are null, and texts are unchanged.

    Every part of the rows is one row group.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    terms = candidates.term_names(rows)
    kinds = [*(_arrow_type(pa, name) for name in COLUMNS), *(pa.float64() for _ in terms)]
    schema = pa.schema(list(zip(_header(terms), kinds, strict=True)))
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for part in candidates.chunks(rows):
            columns = zip(*(_cells(row, terms) for row in part), strict=True)
            writer.write_table(
                pa.table([pa.array(*column) for column in zip(columns, kinds, strict=True)], schema=schema)
            )
    yield sink.getvalue()


FORMATS: dict[str, tuple[str, Callable[[QuerySet[Candidate]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_parts),
    "json": ("application/json", json_parts),
    "parquet": ("application/vnd.apache.parquet", parquet_parts),
}
"""The content type and the function that yields the parts of the file, by the name of the format."""


def _header(terms: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"term_{name}" for name in terms)]


def _cells(row: Candidate, terms: Sequence[str]) -> list[Any]:
    tags = ",".join(tag.name for tag in row.tags.all())
    known = calibrations.terms(row)
    return [*(tags if name == "tags" else getattr(row, name) for name in COLUMNS), *map(known.get, terms)]


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _arrow_type(pa: Any, name: str) -> Any:
    field = None if name == "tags" else Candidate._meta.get_field(name)
    if isinstance(field, models.BooleanField):
        return pa.bool_()
    if isinstance(field, models.FloatField):
        return pa.float64()
    return pa.int64() if isinstance(field, models.IntegerField) else pa.string()
