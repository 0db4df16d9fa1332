"""The base of all operations of the OpenAPI document. Every view loads this module, so it must not import views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema


class OperationSchema(AutoSchema):
    """The schema of one operation. Only GET answers page by page; a POST answers with one list of all that it made."""

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.method == "GET" else None  # type: ignore[no-untyped-call]
