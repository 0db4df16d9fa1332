"""YAML that a user typed into a field."""

from __future__ import annotations

from typing import Any

import yaml
from django.core.exceptions import ValidationError


def read_yaml(text: str) -> Any:
    """The value of a YAML or JSON text; ValidationError says where it is malformed."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "it cannot be read"
        raise ValidationError(f"The YAML is malformed{where}: {reason}.") from error
