"""The search spaces and the data that a user can choose: one list of each, for every form that asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar, get_args

from django import forms
from pydantic import TypeAdapter, ValidationError

from engine.config.datasets import TorchvisionOptions
from engine.config.spaces import SpaceOptions
from engine.registry import DATASETS, SPACES
from engine.spaces.examples import CHAIN_EXAMPLES
from searches.models import Dataset, SearchSpace

_SPACE: TypeAdapter[SpaceOptions] = TypeAdapter(SpaceOptions)
OWN = "Yours"
"""The heading of the user's own spaces and data sets."""
F = TypeVar("F", bound=forms.ChoiceField)


@dataclass(frozen=True)
class Choice:
    """One space or one set of images, with its part of a configuration. The part is None if there are no images."""

    key: str
    label: str
    part: dict[str, Any] | None
    group: str = ""
    """The heading in the list; empty for a choice without one."""


class Chooser:
    """A list of choices, and the part of a configuration that each stands for."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        self._choices = {choice.key: choice for choice in choices}

    def __iter__(self) -> Iterator[Choice]:
        return iter(self._choices.values())

    def fill(self, field: F) -> F:
        """Offer the choices in a field, and return it."""
        offered: list[Any] = []
        for group, members in groupby(self, key=lambda choice: choice.group):
            pairs = [(choice.key, choice.label) for choice in members]
            offered += [(group, pairs)] if group else pairs
        field.choices = offered
        return field

    def part(self, key: str) -> dict[str, Any] | None:
        """Return the part of the configuration that a key stands for; an empty key stands for the first choice.

        KeyError for a key that is not offered, such as the key of another user's space.
        """
        return self._choices[key or next(iter(self._choices))].part


def own_rows(model: Any, owner: Any) -> list[tuple[int, str]]:
    """Return number and name of the user's own rows of a model."""
    return list(model.objects.filter(owner=owner).values_list("pk", "name"))


def spaces(owner: Any) -> Chooser:
    """Return every kind of space that needs no options, the example chains, and the user's own spaces."""
    group = "With the usual options"
    kinds = [(kind, entry.label) for kind, entry in SPACES.items() if _has_defaults(kind)]
    ready = [Choice(f"kind:{kind}", label, {"kind": kind}, group) for kind, label in kinds]
    ready += [
        Choice(f"example:{name}", definition["name"], {"kind": "chain", "definition": definition}, group)
        for name, definition in CHAIN_EXAMPLES.items()
    ]
    rows = SearchSpace.objects.filter(owner=owner)
    return Chooser([*ready, *(Choice(f"own:{row.pk}", row.name, row.options, OWN) for row in rows)])


def data(owner: Any, *, first: Iterable[Choice] = (), last: Iterable[Choice] = ()) -> Chooser:
    """Return Digits, what torchvision knows, and the user's uploads, between the form's own choices."""
    names = get_args(TorchvisionOptions.model_fields["name"].annotation)
    ready = [Choice("digits", DATASETS["digits"].label, {"kind": "digits"})]
    ready += [
        Choice(f"torchvision:{name}", f"torchvision: {name}", {"kind": "torchvision", "name": name}) for name in names
    ]
    uploads = own_rows(Dataset, owner)
    own = [Choice(f"upload:{pk}", name, {"kind": "upload", "id": pk}, OWN) for pk, name in uploads]
    return Chooser([*first, *ready, *own, *last])


def _has_defaults(kind: str) -> bool:
    try:
        _SPACE.validate_python({"kind": kind})
    except ValidationError:
        return False
    return True
