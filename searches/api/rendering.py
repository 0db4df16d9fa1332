"""Formats of bodies and answers: JSON without NaN, YAML documents, and uploads of bounded size."""

from __future__ import annotations

import json
from typing import IO, Any

from django.conf import settings
from rest_framework import parsers, renderers, status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.utils.json import strict_constant

from engine import json_text
from engine.config.documents import TOO_DEEP, is_deep, read_yaml
from engine.errors import ConfigError
from searches.selectors.strict_json import finite

YAML_LIMIT = 1_000_000
OLD_NAMES = {
    **dict.fromkeys(("text/yaml", "text/x-yaml", "application/x-yaml"), "application/yaml"),
    "text/json": "application/json",
}


class TooLarge(APIException):
    """A body above the limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class JSONRenderer(renderers.JSONRenderer):
    """DRF's renderer, with null for NaN and infinities."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Return strict JSON. Only data that hold such a number are copied."""
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except ValueError:
            return super().render(finite(data), accepted_media_type, renderer_context)


class JSONParser(parsers.JSONParser):
    """A parser of strict JSON, in any Unicode encoding and with or without a byte-order mark.

    It refuses documents that repeat a key, or that are nested too deeply for later code.
    """

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the value; ParseError for malformed or too deeply nested documents."""
        raw = stream.read()
        named = (parser_context or {}).get("encoding") or settings.DEFAULT_CHARSET
        encoding = json.detect_encoding(raw) if named.lower() in ("utf-8", "utf8") else named
        try:
            value = json_text.load(raw.decode(encoding), strict_constant)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        except UnicodeDecodeError as error:
            raise ParseError(f"The JSON is not text in {encoding.upper()}.") from error
        except ValueError as error:
            raise ParseError(f"The JSON cannot be read: {error}.") from error
        if is_deep(value):
            raise ParseError(TOO_DEEP)
        return value


class YAMLParser(parsers.BaseParser):
    """A parser of YAML documents, which are accepted wherever JSON is."""

    media_type = "application/yaml"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Return the mapping; ParseError if it is not UTF-8, TooLarge above a million bytes, ConfigError with lines."""
        raw = stream.read(YAML_LIMIT + 1)
        if len(raw) > YAML_LIMIT:
            raise TooLarge(f"The document is larger than {YAML_LIMIT:,} bytes.")
        try:
            value = read_yaml(raw.decode("utf-8-sig"), "yaml")
        except UnicodeDecodeError as error:
            raise ParseError("The document is not UTF-8 text.") from error
        if not isinstance(value, dict):
            raise ConfigError.at("yaml", "The document must be a mapping with named fields.")
        return value


class Negotiation(DefaultContentNegotiation):
    """DRF's choice of parsers, which also knows the names that YAML and JSON had before they were registered."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Return the parser of the body, or None, which answers 415."""
        found = super().select_parser(request, parsers)
        given = request.content_type.partition(";")[0].strip().lower()
        return found or next((parser for parser in parsers if parser.media_type == OLD_NAMES.get(given)), None)


class UploadParser(parsers.MultiPartParser):
    """A parser of forms with a file. It refuses a form that is too large before reading it."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the form's fields; TooLarge names the limit."""
        limit = settings.NASWEB_MAX_UPLOAD_MB
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > limit * 1_000_000:
            size = f"The upload has {length / 1e6:.0f} MB, the limit is {limit} MB"
            raise TooLarge(f"{size}; make it smaller or raise NASWEB_MAX_UPLOAD_MB.")
        return super().parse(stream, media_type, parser_context)
