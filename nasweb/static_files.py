"""Static files, answered before Django: a page loads dozens, and each would pass Django's middleware in a thread.

WhiteNoise chooses file, status and headers. Because it streams synchronously, each file is sent here in one piece.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def with_static_files(app: App) -> App:
    """Return the app with static files in front of it; paths are looked up without the prefix (``root_path``)."""
    files = WhiteNoiseMiddleware()
    policy = _policy()

    async def served(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        file = None
        if path.startswith(files.static_prefix):
            file = files.find_file(path) if files.autorefresh else files.files.get(path)
        if file is None:
            await app(scope, receive, send)
            return
        found = file.get_response(scope["method"], _environment(scope["headers"]))
        body = b""
        if found.file is not None:
            with contextlib.closing(found.file):
                body = found.file.read()
        headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in found.headers]
        await send({"type": "http.response.start", "status": int(found.status), "headers": headers + policy})
        await send({"type": "http.response.body", "body": body})

    return served


def _environment(headers: Headers) -> dict[str, str]:
    """Return request headers by the names that WhiteNoise uses."""
    return {
        f"HTTP_{name.decode('latin1').upper().replace('-', '_')}": value.decode("latin1") for name, value in headers
    }


def _policy() -> Headers:
    """Return the headers that Django's middleware adds to every answer."""
    answer = SecurityMiddleware(CSPMiddleware(lambda request: HttpResponse()))(HttpRequest())
    assert isinstance(answer, HttpResponse)  # not a coroutine, because the wrapped function is not
    del answer["Content-Type"]
    return [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in answer.items()]
