"""Problem documents (RFC 9457, ``application/problem+json``) for all errors; they name each faulty field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from engine.config.base import WORDS
from engine.errors import ArchitectureError, ConfigError, DataError
from searches.models.documents import UnreadableDocument
from searches.services.errors import ActionRefused

CONTENT_TYPE = "application/problem+json"
PREFIX = "/api/"
UNKNOWN_HOST = "This server does not answer to the host that the request names; add it to ALLOWED_HOSTS."
NOT_FOUND = re.compile(r"No (\w+) matches the given query\.")
OURS = {
    re.compile(r"Ensure this value is greater than or equal to (?P<ge>.+)\."): WORDS["greater_than_equal"],
    re.compile(r"Ensure this value is less than or equal to (?P<le>.+)\."): WORDS["less_than_equal"],
    re.compile(r"Ensure this field has no more than (?P<max_length>.+) characters\."): WORDS["string_too_long"],
    re.compile(r"Ensure this field has no more than (?P<max_length>.+) elements\."): WORDS["too_long"],
    re.compile(r"A valid integer is required\."): WORDS["int_type"],
    re.compile(r"A valid number is required\."): WORDS["float_type"],
    re.compile(r"Must be a valid boolean\."): WORDS["bool_type"],
}
"""The messages of serializers, and the engine's words for the same."""


def problem(code: int, detail: str, errors: Iterable[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Return the document for a status code."""
    title = HTTPStatus(code).phrase
    return {"type": "about:blank", "title": title, "status": code, "detail": detail, "errors": list(errors)}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error, as DRF's exception handler; None for a bug, which is left to Django."""
    known = _known(error)
    if known is not None:
        set_rollback()
        return _response(known)
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = error.detail if isinstance(error, exceptions.APIException) else response.data
    errors = list(_flat(detail)) if isinstance(error, exceptions.ValidationError) else []
    sentence = _sentence(errors) if errors else _plain(str(response.data.get("detail", "")))
    return _response(problem(response.status_code, sentence, errors), response)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a problem document for a request under ``/api/`` that Django refuses, and Django's page elsewhere."""
    if not request.path_info.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    host = isinstance(exception, DisallowedHost)
    detail = UNKNOWN_HOST if host else "The request is malformed or too large."
    return JsonResponse(problem(400, detail), status=400, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a problem document for an unknown address under ``/api/``, and Django's page elsewhere."""
    if request.path_info.startswith(PREFIX):
        return JsonResponse(problem(404, "There is nothing at this address."), status=404, content_type=CONTENT_TYPE)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return a problem document for a bug under ``/api/``, and Django's page elsewhere."""
    if request.path_info.startswith(PREFIX):
        detail = "The server failed; its log says why."
        return JsonResponse(problem(500, detail), status=500, content_type=CONTENT_TYPE)
    return defaults.server_error(request)


def _known(error: Exception) -> dict[str, Any] | None:
    """Return the document for a refusal of services or the engine, or None for other errors."""
    if isinstance(error, UnreadableDocument):
        return problem(409, error.sentence)
    if isinstance(error, ConfigError):
        errors = [{"field": item.path, "message": item.message} for item in error.errors]
        return problem(400, _sentence(errors), errors)
    if isinstance(error, DataError):
        return problem(400, error.sentence, [{"field": "file", "message": error.sentence}])
    if isinstance(error, ArchitectureError):
        return problem(400, str(error))
    if isinstance(error, ActionRefused):
        return problem(409, str(error))
    return None


def _flat(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
    """Yield DRF's nested complaints one by one, with dotted fields."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _flat(inner, own)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flat(inner, f"{path}.{index}" if nested else path)
    else:
        yield {"field": path, "message": _ours(str(detail))}


def _ours(message: str) -> str:
    for theirs, words in OURS.items():
        if found := theirs.fullmatch(message):
            return words.format_map(found.groupdict())
    return message


def _plain(detail: str) -> str:
    """Return a message in words for users if it is Django's about a missing row, and any other message unchanged."""
    if found := NOT_FOUND.fullmatch(detail):
        kind = re.sub(r"\B([A-Z])", r" \1", found[1]).lower()
        return f"There is no such {kind}, or it is not yours."
    return detail


def _sentence(errors: list[dict[str, str]]) -> str:
    return " ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors)


def _response(document: dict[str, Any], before: Response | None = None) -> Response:
    headers = {name: before[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if before and name in before}
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)
