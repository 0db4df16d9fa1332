"""Reading of JSON that people write: an object that has a key twice is refused; Python would keep the last value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")\s*(:?)|[{}\[\]]', re.DOTALL)
MARK = "\ufeff"
"""The byte-order mark, which some editors and programs write in front of a text."""


def load(text: str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of a text, with or without a byte-order mark; ValueError says what is wrong and where.

    ``parse_constant`` gets NaN and infinities, as in `json.loads`.
    """
    text = text.removeprefix(MARK)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=parse_constant)
    except KeyError as error:
        key, first, again = _twice(text)
        raise ValueError(f"the key '{key}' is there twice, in line {first} and again in line {again}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; KeyError if a key is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise KeyError
    return found


def _twice(text: str) -> tuple[str, int, int]:
    """Return the first key of a valid text that its object has twice, and the lines of both."""
    open_objects: list[dict[str, int]] = []
    for token in TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            open_objects.append({})
        elif sign in "}]":
            open_objects.pop()
        elif token[2]:
            key = json.loads(token[1], strict=False)
            if key in open_objects[-1]:
                return key, _line(text, open_objects[-1][key]), _line(text, token.start())
            open_objects[-1][key] = token.start()
    raise AssertionError("every key of this text is there once")


def _line(text: str, offset: int) -> int:
    """Return the number of the line that holds an offset, from 1."""
    return text.count("\n", 0, offset) + 1
