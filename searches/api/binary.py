"""Typed columns as one octet-stream: a JSON header, followed by arrays that a page reads without parsing.

Layout: the header's length (uint32, little-endian), the header as UTF-8 JSON padded with spaces, the arrays. Every
array begins at a multiple of 8 bytes; the header's ``arrays`` has ``[name, type, offset, length]`` for each. Offsets
are counted from the end of the padded header, and types are named like JavaScript's typed arrays.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.http import HttpResponse
from rest_framework.request import Request

CONTENT_TYPE = "application/octet-stream"
TYPES = {"<f8": "Float64", "<f4": "Float32", "<u4": "Uint32", "<i4": "Int32", "|u1": "Uint8"}
ALIGNED = 8
SMALL = 2_000


def response(request: Request, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> HttpResponse:
    """Return the packed columns, compressed if the client accepts it and they are long enough."""
    body = pack(header, arrays)
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
    if len(body) > SMALL and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type=CONTENT_TYPE, headers=headers)


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return one message; arrays must have one of `TYPES`."""
    listed = []
    parts = []
    offset = 0
    for name, array in arrays.items():
        content = np.ascontiguousarray(array).tobytes()
        listed.append([name, TYPES[array.dtype.newbyteorder("<").str], offset, len(array)])
        padding = -len(content) % ALIGNED
        parts += [content, bytes(padding)]
        offset += len(content) + padding
    head = json.dumps({**header, "arrays": listed}, allow_nan=False).encode()
    head += b" " * (-(4 + len(head)) % ALIGNED)
    return b"".join([len(head).to_bytes(4, "little"), head, *parts])
