"""The app under a path prefix (``NASWEB_PREFIX``), whether the proxy in front removes the prefix or keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def under_prefix(app: App) -> App:
    """Return the app with the prefix in its scope; without a prefix, return the app itself."""
    prefix = settings.FORCE_SCRIPT_NAME
    if not prefix:
        return app

    async def prefixed(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] in ("http", "websocket"):
            path = scope["path"]
            inside = path == prefix or path.startswith(f"{prefix}/")
            scope = {**scope, "root_path": prefix, "path": path if inside else prefix + path}
        await app(scope, receive, send)

    return prefixed
