"""Spaces and data that a study can name by itself, without a search: as choices, and as parts of its document."""

from __future__ import annotations

from typing import Any, get_args

from engine.config.datasets import TorchvisionOptions
from engine.registry import DATASETS, SPACES
from engine.spaces.examples import CHAIN_EXAMPLES
from searches.models import Dataset, SearchSpace

Choice = tuple[str, Any]
DEFINED = "chain"
"""The kind of space that is nothing without a definition."""


def space_choices(owner: Any) -> list[Choice]:
    """Every kind with its usual options, the example chains, and the user's own spaces."""
    ready = [(f"kind:{kind}", entry.label) for kind, entry in SPACES.items() if kind != DEFINED]
    ready += [(f"example:{name}", document["name"]) for name, document in CHAIN_EXAMPLES.items()]
    own = [(f"own:{row.pk}", row.name) for row in SearchSpace.objects.filter(owner=owner)]
    return [("With the usual options", ready), *([("Yours", own)] if own else [])]


def space_of(owner: Any, choice: str) -> dict[str, Any]:
    """The space part of a document."""
    source, _, name = choice.partition(":")
    if source == "own":
        options: dict[str, Any] = SearchSpace.objects.get(owner=owner, pk=int(name)).options
        return options
    if source == "example":
        return {"kind": DEFINED, "definition": CHAIN_EXAMPLES[name]}
    return {"kind": name or next(iter(SPACES))}


def data_choices(owner: Any) -> list[Choice]:
    """Digits, what torchvision knows, the user's uploads, and none for tables."""
    known = get_args(TorchvisionOptions.model_fields["name"].annotation)
    ready = [("digits", DATASETS["digits"].label), *((f"torchvision:{name}", f"torchvision: {name}") for name in known)]
    own = [(f"upload:{row.pk}", row.name) for row in Dataset.objects.filter(owner=owner)]
    return [*ready, *([("Yours", own)] if own else []), ("none", "None (a table needs no images)")]


def data_of(choice: str) -> dict[str, Any] | None:
    """The data part of a document; None without images."""
    kind, _, name = choice.partition(":")
    if kind == "none":
        return None
    given: dict[str, Any] = {"upload": {"id": name}, "torchvision": {"name": name}}.get(kind, {})
    return {"kind": kind or "digits", **given}
