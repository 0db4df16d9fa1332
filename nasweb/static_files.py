"""Static files in one piece: WhiteNoise streams them synchronously, which an ASGI server gathers with a warning."""

from __future__ import annotations

import contextlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise's choice of file, status and headers."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """The file, the asked part of it, or nothing when the browser has it already."""
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with contextlib.closing(found.file):
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
