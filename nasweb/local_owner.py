"""The local owner: the user of this machine, signed in without a password in the embedded default on loopback.

A request counts as the local owner's if it comes from loopback, without a proxy, for a Host of this machine, and was
not sent by another web page. A foreign ``Origin``, or a ``Sec-Fetch-Site`` other than the page's own, is refused, but a
link on another site may open a page. Programs that send neither header (curl, requests) are accepted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import split_domain_port, validate_host
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

USERNAME = "owner"
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")
REFUSAL = "Refused: this request was sent by another web page. Open nasweb at its own address and try again there."


def local_owner() -> Any:
    """Return the local owner's account; the first call creates it, without a password, so that nobody can sign in."""
    users = get_user_model()
    try:
        return users.objects.get(username=USERNAME)
    except users.DoesNotExist:
        user, _ = users.objects.get_or_create(
            username=USERNAME, defaults={"is_staff": True, "is_superuser": True, "password": make_password(None)}
        )
        return user


def is_local(address: str | None, headers: Mapping[str, str]) -> bool:
    """Return whether a request from ``address`` comes from this machine without a proxy and such requests are trusted.

    Header names are in lower case.
    """
    if not settings.NASWEB_EMBEDDED or any(name in headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def is_foreign(method: str, scheme: str, headers: Mapping[str, str]) -> bool:
    """Return whether another web page sent the request; header names are in lower case."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    if origin is not None and origin != f"{scheme}://{headers.get('host', '')}":
        return True
    follows_link = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    return site not in ("same-origin", "none") and not follows_link


class LocalOwnerMiddleware:
    """Signs in the local owner if no user is signed in; answers 403 to requests of other web pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if is_local(request.META.get("REMOTE_ADDR"), headers):
            if is_foreign(request.method or "GET", request.scheme or "http", headers):
                return refusal(request)
            if not request.user.is_authenticated:
                request.user = local_owner()
                request.is_local_owner = True  # type: ignore[attr-defined]
        return self.get_response(request)


def refusal(request: HttpRequest) -> HttpResponse:
    """Return 403 with one sentence, as problem details (RFC 9457) for the API."""
    if request.path_info.startswith("/api/"):
        problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": REFUSAL, "errors": []}
        return JsonResponse(problem, status=403, content_type="application/problem+json")
    return HttpResponse(REFUSAL, status=403, content_type="text/plain; charset=utf-8")


class LocalOwnerAuthentication(BaseAuthentication):
    """The same for Django REST Framework; no CSRF token is needed, because the middleware has checked the origin."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the local owner if the middleware has signed them in."""
        original = request._request
        return (original.user, None) if getattr(original, "is_local_owner", False) else None


class LocalOwnerSocketMiddleware:
    """The same for websockets: signs in the local owner, and refuses foreign Host and Origin headers with 403."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        address = (scope.get("client") or [None])[0]
        if is_local(address, headers):
            host, _ = split_domain_port(headers.get("host", ""))
            scheme = {"ws": "http", "wss": "https"}[scope.get("scheme", "ws")]
            if not validate_host(host, settings.ALLOWED_HOSTS) or is_foreign("CONNECT", scheme, headers):
                return await refuse_socket(scope, send)
            if not scope["user"].is_authenticated:
                scope = {**scope, "user": await database_sync_to_async(local_owner)()}
        await self.app(scope, receive, send)
        return None


async def refuse_socket(scope: dict[str, Any], send: Callable[..., Any]) -> None:
    """Answer the upgrade with 403, with a text if the server supports it (ASGI's denial response)."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    kind = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": kind})
    await send({"type": "websocket.http.response.body", "body": REFUSAL.encode()})
