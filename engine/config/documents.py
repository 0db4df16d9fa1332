"""YAML and JSON documents that people write; nothing in them can run, refer to itself or grow without end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from engine.errors import ConfigError

MAX_VALUES = 100_000


def read_yaml(text: str, field: str) -> Any:
    """The value of a document; ConfigError at ``field`` says where it is malformed."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError.at(field, f"The YAML is malformed{place}: {problem}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError.at(field, f"The YAML cannot be read: {error}.") from error
    _check_size(value, field)
    return value


def _check_size(value: Any, field: str) -> None:
    """Counts values with every alias written out: neither a cycle nor a small document of huge content passes."""
    waiting, count = [value], 0
    while waiting:
        inner = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            message = f"The document holds more than {MAX_VALUES:,} values, or an alias (*) that contains itself."
            raise ConfigError.at(field, message)
        if isinstance(inner, Mapping):
            waiting += inner.values()
        elif isinstance(inner, list | tuple | set):
            waiting += inner
