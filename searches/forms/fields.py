"""Form fields for the fields of option models, with title, help, choices and limits from the model."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from django import forms
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from engine.config.base import OFFERED
from engine.metrics import COST_NAMES, METRICS

Choices = Sequence[tuple[Any, str]]


def plain_type(info: FieldInfo) -> Any:
    """Return the annotation without ``| None``."""
    if get_origin(info.annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(info.annotation) if part is not type(None)]
        return rest[0] if len(rest) == 1 else info.annotation
    return info.annotation


def is_nullable(info: FieldInfo) -> bool:
    """Return whether an empty field means None."""
    return type(None) in get_args(info.annotation)


def is_rows(info: FieldInfo) -> bool:
    """Return whether the field is a list of option models, which the form shows as rows."""
    return get_origin(plain_type(info)) is tuple and issubclass(get_args(plain_type(info))[0], BaseModel)


def form_field(name: str, info: FieldInfo, choices: Choices | None = None) -> forms.Field:
    """Return a form field for one option. It is never required, because the engine says what is missing.

    ``choices`` are rows of the database to select from, such as uploaded data sets and tables.
    """
    label = info.title or name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"label": label, "help_text": _help(info), "required": False}
    kind = plain_type(info)
    if choices is not None:
        return forms.TypedChoiceField(choices=[("", "none"), *choices], coerce=int, empty_value="", **common)
    values = get_args(kind) if get_origin(kind) is Literal else _listed(info)
    if values:
        return forms.ChoiceField(choices=[(v, choice_label(v)) for v in values], **common)
    if kind is bool:
        return forms.BooleanField(**common)
    if kind in (int, float):
        widget = forms.NumberInput(attrs={"step": 1 if kind is int else "any", **_limits(info)})
        return (forms.IntegerField if kind is int else forms.FloatField)(widget=widget, **common)
    if kind is str:
        return forms.CharField(strip=True, **common)
    return forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"}), **common)


def _listed(info: FieldInfo) -> Sequence[str]:
    """Return the values that the schema lists for a field whose type does not; empty if it lists none."""
    extra = info.json_schema_extra
    values = extra.get("enum") if isinstance(extra, dict) else None
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def choice_label(value: Any) -> str:
    """Return the label of a field's value: the cost's title if it is a cost's name, else the value in words."""
    return METRICS[value].title if value in COST_NAMES else str(value).replace("_", " ")


def default_of(info: FieldInfo) -> Any:
    """Return what a document without the field means, or "" if the field has no default."""
    default = info.get_default(call_default_factory=True)
    return "" if default is PydanticUndefined or default is None else default


def offered_of(info: FieldInfo) -> Any:
    """Return what a form offers for a field that no document has filled: its offered value, else its default."""
    extra = info.json_schema_extra
    return extra[OFFERED] if isinstance(extra, dict) and OFFERED in extra else default_of(info)


def _help(info: FieldInfo) -> str:
    text = info.description or ""
    return text[:1].upper() + text[1:]


def _limits(info: FieldInfo) -> dict[str, Any]:
    """Return HTML's ``min`` and ``max``. The engine checks open limits (gt, lt), which HTML cannot state."""
    limits: dict[str, Any] = {}
    for rule in info.metadata:
        if isinstance(rule, annotated_types.Ge):
            limits["min"] = rule.ge
        if isinstance(rule, annotated_types.Le):
            limits["max"] = rule.le
    return limits
