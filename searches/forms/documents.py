"""YAML that a user typed into a field."""

from __future__ import annotations

from typing import Any

import yaml
from django.core.exceptions import ValidationError

from engine.config import documents
from engine.errors import ConfigError


def write_yaml(document: Any) -> str:
    """Return plain values as YAML."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def read_yaml(text: str) -> Any:
    """Return the value of a YAML or JSON text; ValidationError says where the text is malformed."""
    try:
        return documents.read_yaml(text, "yaml")
    except ConfigError as error:
        raise ValidationError([item.message for item in error.errors]) from error
