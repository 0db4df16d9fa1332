"""Counts as people read them; ``{% load counts %}``."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def count(number: Any) -> str:
    """An exact count with separators, or its order of magnitude when nobody could read it; other text as it is."""
    text = "" if number is None else str(number)
    if not text.isdecimal():
        return text
    return f"{int(text):,}" if len(text) <= 9 else f"{text[0]}.{text[1:3]}e{len(text) - 1}"
