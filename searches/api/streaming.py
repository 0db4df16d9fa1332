"""Candidates of a search as one file, read and sent a bounded part at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.db import models
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

from searches.api.rendering import finite
from searches.api.serializers.candidates import CandidateSerializer
from searches.models import Candidate, Search
from searches.selectors import calibrations, candidates

COLUMNS = (
    "id",
    "number",
    "round",
    "arch",
    "status",
    "feasible",
    *Candidate.NUMBERS,
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
"""After them a column a term of the score: ``term_landscape``."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """A header, then a line a candidate, by number; empty where unknown, tags parted by commas.

    An apostrophe is put before text that begins as a formula does, lest a spreadsheet run it.
    """
    terms = candidates.term_names(rows)
    yield _lines([_header(terms)])
    for part in candidates.chunks(rows):
        yield _lines([_harmless(cell) for cell in _cells(row, terms)] for row in part)


def json_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """An array of candidates as lists show them."""
    before = "["
    for part in candidates.chunks(rows):
        shown = finite(CandidateSerializer(part, many=True).data)
        yield (before + ",\n".join(json.dumps(row, cls=JSONEncoder, allow_nan=False) for row in shown)).encode()
        before = ",\n"
    yield b"[]" if before == "[" else b"]"


def parquet_parts(rows: QuerySet[Candidate]) -> Iterator[bytes]:
    """The columns of the CSV with their types, null where unknown, texts as they are; a row group a part."""
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


def response(search: Search, rows: QuerySet[Candidate], name: str) -> StreamingHttpResponse:
    """These candidates of the search in one of `FORMATS`."""
    content_type, parts = FORMATS[name]
    headers = {"Content-Disposition": f'attachment; filename="search-{search.pk}.{name}"'}
    return StreamingHttpResponse(_served(parts(rows)), content_type=content_type, headers=headers)


async def _served(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part


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
