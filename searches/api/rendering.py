"""What goes in and out: JSON without NaN, YAML documents, uploads of a bounded size."""

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
    """DRF's, with null for the numbers that JSON does not know."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Strict JSON; the data are walked only when they hold such a number."""
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except ValueError:
            return super().render(finite(data), accepted_media_type, renderer_context)


class JSONParser(parsers.JSONParser):
    """DRF's, which refuses what is nested too deeply for those who read it."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """ParseError also beyond the depth at which Python's own reader gives up."""
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        if is_deep(value):
            raise ParseError(TOO_DEEP)
        return value


class YAMLParser(parsers.BaseParser):
    """A YAML document, kept as text: ``{"yaml": text}``; the configuration's own reader names line and column."""

    media_type = "application/yaml"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, str]:
        """ParseError when the text is not UTF-8, TooLarge above a million bytes."""
        raw = stream.read(YAML_LIMIT + 1)
        if len(raw) > YAML_LIMIT:
            raise TooLarge(f"The document is larger than {YAML_LIMIT:,} bytes.")
        try:
            return {"yaml": raw.decode()}
        except UnicodeDecodeError as error:
            raise ParseError("The document is not UTF-8 text.") from error


class UploadParser(parsers.MultiPartParser):
    """A form with a file; refused before it is read when it says that it is too large."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """TooLarge names the limit."""
        limit = settings.NASWEB_MAX_UPLOAD_MB
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > limit * 1_000_000:
            size = f"The upload has {length / 1e6:.0f} MB, the limit is {limit} MB"
            raise TooLarge(f"{size}; make it smaller or raise NASWEB_MAX_UPLOAD_MB.")
        return super().parse(stream, media_type, parser_context)
