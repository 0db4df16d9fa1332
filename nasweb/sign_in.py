"""Sign-in on the page and for a token: the keys by which django-axes counts failures, and its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Address, ip_address, ip_network
from math import ceil
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from searches.api.rendering import JSONParser

LONGEST = 255
"""Number of characters of a name that are used; every account's name is shorter."""


def account(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Return the account name for which an attempt counts."""
    return str((credentials or {}).get("username") or "")[:LONGEST]


def address(request: HttpRequest) -> str | None:
    """Return the address for which an attempt counts, or None if there is no address.

    For IPv6 it is the network, because one machine can use any address in its network. The address is the client's, as
    uvicorn determined it behind the proxies of ``FORWARDED_ALLOW_IPS``.
    """
    try:
        found = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found if isinstance(found, IPv4Address) else ip_network((found, 64), strict=False).network_address)


def wait(request: Any) -> int:
    """Return the seconds until the account of a refused request may be tried again from its address."""
    (attempts,) = AxesProxyHandler.get_implementation().get_user_attempts(request, request.axes_credentials)
    last: datetime = attempts.aggregate(last=Max("attempt_time"))["last"] or request.axes_attempt_time
    return max(1, ceil((last + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()))


def sentence(seconds: int) -> str:
    """Return the refusal as a sentence."""
    minutes = ceil(seconds / 60)
    return (
        "Signing in to this account failed too often from your address. "
        f"Wait {minutes} minute{'' if minutes == 1 else 's'}, then try again."
    )


def refused(request: HttpRequest, *_: Any) -> HttpResponse:
    """Return the page with which django-axes refuses an attempt, with status 429."""
    seconds = wait(request)
    response = render(request, "registration/refused.html", {"sentence": sentence(seconds)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


class TooManyAttempts(APIException):
    """The same refusal as problem details for the API."""

    status_code = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(sentence(seconds))
        self.wait = seconds


class Token(ObtainAuthToken):
    """The endpoint that gives a program its token, for an account's name and password."""

    parser_classes = (FormParser, MultiPartParser, JSONParser)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the account's token, which never changes; 429 after too many failures."""
        try:
            return super().post(request, *args, **kwargs)
        except ValidationError:
            if getattr(request, "axes_locked_out", False):
                raise TooManyAttempts(wait(request)) from None
            raise
