"""Shared parts of views: configurations read from bodies, numbers read from addresses, and views of one search."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from searches.models import Search
from searches.selectors import searches


def config_of(request: Request) -> SearchConfig:
    """Return the body's configuration: the body itself, ``{"config": ...}`` or ``{"yaml": text}``."""
    body: Any = request.data
    if not isinstance(body, Mapping):
        raise ConfigError.at("", "The body must be an object with the fields space, estimator, ...")
    if set(body) == {"yaml"}:
        if not isinstance(body["yaml"], str):
            raise ConfigError.at("yaml", "Give the document as text.")
        return SearchConfig.from_yaml(body["yaml"])
    if set(body) == {"config"} and isinstance(body["config"], Mapping):
        body = body["config"]
    return SearchConfig.parse(body)


def number_of(request: Request, name: str, default: int, low: int, high: int = 2**62) -> int:
    """Return a whole number from the address; ValidationError unless it lies between the limits."""
    text = request.query_params.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        upper = f" to {high}" if high < 2**62 else " upwards"
        raise ValidationError({name: f"Give a whole number from {low}{upper}."})
    return number


def numbers_of(request: Request, name: str, most: int) -> list[int]:
    """Return whole numbers from the address, separated by commas; ValidationError for more than ``most``."""
    parts = [part.strip() for part in request.query_params.get(name, "").split(",") if part.strip()]
    if len(parts) > most or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise ValidationError({name: f"Give up to {most} whole numbers, separated by commas."})
    return [int(part) for part in parts]


class UnderSearch(APIView):
    """The base of views whose contents belong to one search of the user."""

    @cached_property
    def parent(self) -> Search:
        """The search of the address; 404 for another user's search."""
        return get_object_or_404(searches.owned(self.request.user), pk=self.kwargs["search_id"])
