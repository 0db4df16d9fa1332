"""All candidates of a search as one file, read and sent a bounded part at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

from searches.api.rendering import finite
from searches.api.serializers.candidates import CandidateSerializer
from searches.models import Search
from searches.selectors import candidates

COLUMNS = (
    "id",
    "number",
    "round",
    "arch",
    "status",
    "feasible",
    "score",
    "final_score",
    "valid_accuracy",
    "truth",
    "trained_valid_accuracy",
    "trained_test_accuracy",
    "params_m",
    "madds_m",
    "activation_mb",
    "latency_ms",
    "table_cost",
    "seconds",
    "layer",
    "bucket",
    "parent_number",
    "origin",
    "from_cache",
    "error",
    "pinned",
    "hidden",
    "note",
)


def csv_parts(search: Search) -> Iterator[str]:
    """A header, then a line a candidate, by number; empty where unknown."""
    yield _lines([COLUMNS])
    for rows in candidates.chunks(search):
        yield _lines([getattr(row, name) for name in COLUMNS] for row in rows)


def json_parts(search: Search) -> Iterator[str]:
    """An array of candidates as lists show them."""
    before = "["
    for rows in candidates.chunks(search):
        shown = finite(CandidateSerializer(rows, many=True).data)
        yield before + ",\n".join(json.dumps(row, cls=JSONEncoder, allow_nan=False) for row in shown)
        before = ",\n"
    yield "[]" if before == "[" else "]"


FORMATS: dict[str, tuple[str, Callable[[Search], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_parts),
    "json": ("application/json", json_parts),
}


def response(search: Search, name: str) -> StreamingHttpResponse:
    """The file in one of `FORMATS`."""
    content_type, parts = FORMATS[name]
    headers = {"Content-Disposition": f'attachment; filename="search-{search.pk}.{name}"'}
    return StreamingHttpResponse(_served(parts(search)), content_type=content_type, headers=headers)


async def _served(parts: Iterator[str]) -> AsyncIterator[str]:
    while (part := await sync_to_async(next)(parts, None)) is not None:
        yield part


def _lines(rows: Iterator[list[object]] | list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
