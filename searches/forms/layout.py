"""Where each option of a search stands in the form. Names are dotted as in the configuration, with the kind in between:
``space.chain.definition`` is ``space.definition`` when the kind is ``chain``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.config.search import Budget, Constraint, Final, Objective, SearchConfig
from engine.registry import ALGORITHMS, DATASETS, ESTIMATORS, SPACES, Kind
from engine.spaces import chain
from searches.examples import EXAMPLES


@dataclass(frozen=True)
class Section:
    """A part of the form: either a choice of kinds with their options, or the options of one model."""

    key: str
    title: str
    help: str = ""
    kinds: Mapping[str, Kind] | None = None
    model: type[BaseModel] | None = None
    own: tuple[str, ...] = ()
    """Fields of the configuration itself, or of its final part, that stand in this section."""


FINAL = "final"
"""The section whose kinds are estimates: ``final.table.reward`` is ``final.estimator.reward``."""
SECTIONS = (
    Section("space", "Search space", "What can be chosen, layer by layer.", SPACES),
    Section("estimator", "Estimate", "How a network is judged without training it in full.", ESTIMATORS),
    Section(
        "dataset",
        "Data",
        "What networks train on. A part of the training images is held out; test images are never used.",
        DATASETS,
    ),
    Section("algorithm", "Algorithm", "Which networks are tried next.", ALGORITHMS),
    Section(
        "objective",
        "Objective",
        "The score is maximised within this range of cost; an empty end is open.",
        model=Objective,
    ),
    Section(
        FINAL,
        "Final estimate",
        "Leading networks can be scored again, more thoroughly or with another seed; the decision then falls on that.",
        ESTIMATORS,
        own=("final.count", "final.share"),
    ),
    Section("budget", "Budget", "When to stop; extend it later if you like.", model=Budget, own=("round_size", "seed")),
)
ROWS = "objective.constraints"
UNSHOWN = ("objective.latency_hash",)
"""What nasweb writes itself."""
NO_DATA = ""


def options_of(kind: Kind) -> Iterator[tuple[str, FieldInfo]]:
    """The options of a kind, its tag left out."""
    for name, info in kind.options.model_fields.items():
        if name != "kind":
            yield name, info


def section_options(section: Section) -> Iterator[tuple[str, str, FieldInfo]]:
    """``(form name, kind or "", field)`` of every option in a section."""
    for kind, entry in (section.kinds or {}).items():
        for name, info in options_of(entry):
            yield f"{section.key}.{kind}.{name}", kind, info
    if section.model is not None:
        fields = section.model.model_fields
        for name in sorted(fields, key=lambda name: name != "cost_metric"):
            if f"{section.key}.{name}" not in UNSHOWN:
                yield f"{section.key}.{name}", "", fields[name]
    for name in section.own:
        model = Final if name.startswith(f"{FINAL}.") else SearchConfig
        yield name, "", model.model_fields[name.rsplit(".", 1)[-1]]


def row_name(index: int, name: str) -> str:
    """The form's name of one field of one further limit."""
    return f"{ROWS}.{index}.{name}"


ROW_FIELDS = {name: Constraint.model_fields[name] for name in ("metric", "lo", "hi")}


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration document as values by form name; definitions become YAML text."""
    values: dict[str, Any] = {}
    for section in SECTIONS:
        part = config.get(section.key)
        if section.key == FINAL and part:
            values.update({name: part[name.rsplit(".", 1)[-1]] for name in section.own})
            part = part["estimator"]
        if section.kinds is not None:
            kind = part.get("kind") if isinstance(part, Mapping) else NO_DATA
            values[f"{section.key}.kind"] = kind
            for name, value in (part or {}).items():
                if name != "kind":
                    values[f"{section.key}.{kind}.{name}"] = as_text(value)
        elif isinstance(part, Mapping):
            values.update({f"{section.key}.{name}": value for name, value in part.items() if name != "constraints"})
    for index, row in enumerate((config.get("objective") or {}).get("constraints") or ()):
        values.update({row_name(index, name): value for name, value in row.items()})
    values.update({name: config[name] for name in ("name", "round_size", "seed") if name in config})
    return values


def as_text(value: Any) -> Any:
    """Nested values as YAML, everything else as it is."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if isinstance(value, (dict, list)) else value


def _chain_example() -> str:
    spaces = [example.config["space"] for example in EXAMPLES]
    return str(as_text(next(space["definition"] for space in spaces if space["kind"] == "chain")))


CHAIN_EXAMPLE = _chain_example()
"""The definition that an untouched textarea shows."""
CHAIN_HELP = (chain.__doc__ or "").partition("**Reduced network")[0].strip()
"""What a definition may hold, as the engine documents it."""
