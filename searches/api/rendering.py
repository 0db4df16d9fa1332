"""Formats of bodies and answers: JSON without NaN, YAML documents, and uploads of bounded size."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from rest_framework import parsers, renderers, status
from rest_framework.exceptions import APIException, ParseError

from engine.config.documents import TOO_DEEP, is_deep
from searches.selectors.strict_json import finite

YAML_LIMIT = 1_000_000


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
    """DRF's parser, which also refuses documents that are nested too deeply for later code."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the value; ParseError for malformed or too deeply nested documents."""
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        if is_deep(value):
            raise ParseError(TOO_DEEP)
        return value


class YAMLParser(parsers.BaseParser):
    """A parser that keeps a YAML document as text, ``{"yaml": text}``. Errors name lines when the text is read."""

    media_type = "application/yaml"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, str]:
        """Return the text; ParseError if it is not UTF-8, TooLarge above a million bytes."""
        raw = stream.read(YAML_LIMIT + 1)
        if len(raw) > YAML_LIMIT:
            raise TooLarge(f"The document is larger than {YAML_LIMIT:,} bytes.")
        try:
            return {"yaml": raw.decode()}
        except UnicodeDecodeError as error:
            raise ParseError("The document is not UTF-8 text.") from error


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
