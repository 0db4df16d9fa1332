"""Candidates of a search as the answer to a request, sent a part at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from searches.models import Candidate, Search
from searches.selectors.candidate_files import FORMATS


def response(search: Search, rows: QuerySet[Candidate], name: str) -> StreamingHttpResponse:
    """Return these candidates of the search as a file in one of `FORMATS`."""
    content_type, parts = FORMATS[name]
    headers = {"Content-Disposition": f'attachment; filename="search-{search.pk}.{name}"'}
    return StreamingHttpResponse(_sent(parts(rows)), content_type=content_type, headers=headers)


async def _sent(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part
