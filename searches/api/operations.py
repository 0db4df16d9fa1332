"""OpenAPI: what all operations have in common. Every view loads this module, so it imports no view."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema


class OperationSchema(AutoSchema):
    """The schema of one operation. Only a GET answers page by page; a list of what a POST made comes whole."""

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.method == "GET" else None  # type: ignore[no-untyped-call]
