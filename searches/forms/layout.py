"""The content of the search form as data: its sections, and the place of every option in the form and the document.

The name of a field begins with the section, followed by the kind if there is one: ``space.chain.definition`` stands
for ``space.definition`` of the document if the kind is ``chain``; ``final.table.reward`` for
``final.estimator.reward``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.config.datasets import UploadOptions
from engine.config.lookups import TableOptions
from engine.config.search import Budget, Constraint, Final, Objective, SearchConfig
from engine.config.spaces import ChainOptions
from engine.kinds import Kind
from engine.registry import ALGORITHMS, DATASETS, ESTIMATORS, SPACES
from engine.spaces import chain
from searches.examples import EXAMPLES
from searches.forms.fields import is_rows
from searches.models import Dataset, LatencyTable, Table

Path = tuple[str, ...]
"""The place of a value in the document, key by key."""


@dataclass(frozen=True)
class Nothing:
    """The choice of none of the kinds."""

    label: str
    first: bool = False
    """True if it stands before the kinds, so that a new form chooses it."""


@dataclass(frozen=True)
class Section:
    """A part of the form: either a choice of kinds with their options, or the options of one model."""

    path: Path
    title: str
    help: str = ""
    kinds: Mapping[str, Kind] | None = None
    nothing: Nothing | None = None
    model: type[BaseModel] | None = None
    first: str = ""
    """The option of the model that the form shows before the others."""
    own: tuple[tuple[type[BaseModel], Path], ...] = ()
    """Further options in this section: the model of each, and its path in the document."""
    spokesman: str = ""
    """The option at which errors of the whole part are shown; empty if they are shown at the choice of kinds."""
    extra: str = ""
    """Template of what follows the options."""

    @property
    def key(self) -> str:
        """The name of the part of the document, which begins all names in the form."""
        return self.path[0]

    @property
    def chooser(self) -> str:
        """The form's name of the choice of kinds."""
        return f"{self.key}.kind"


@dataclass(frozen=True)
class FormOption:
    """One option: its field in the form, and its place in the document."""

    name: str
    path: Path
    info: FieldInfo
    section: Section
    kind: str = ""
    """The kind that has the option; empty if the option is shown for every kind."""
    rows: Any = None
    """The model whose rows of the user are offered; None for an option that is typed or has fixed choices."""
    start: str = ""
    """The value in a new form; empty for the default."""
    suggestions: str = ""
    """The id of the page's list of suggestions for the field; empty for none."""


@dataclass(frozen=True)
class Further:
    """The table of further limits: a list in the document, rows of fields in the form."""

    path: Path
    columns: Mapping[str, FieldInfo]
    blank: str
    """The column whose empty choice makes the row count as empty."""
    spokesman: str
    """The column at which errors of a whole row are shown."""
    most: int

    def name(self, index: int, column: str) -> str:
        """Return the form's name of one field of one row."""
        return ".".join((*self.path, str(index), column))


def as_text(value: Any) -> Any:
    """Return nested values as YAML, everything else as it is."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if isinstance(value, (dict, list)) else value


def _chain_example() -> str:
    spaces = [example.config["space"] for example in EXAMPLES]
    return str(as_text(next(space["definition"] for space in spaces if space["kind"] == "chain")))


CHAIN_EXAMPLE = _chain_example()
"""The definition in a new form."""
CHAIN_HELP = (chain.__doc__ or "").partition("**Reduced network")[0].strip()
"""The possible contents of a definition, as the engine documents them."""
NO_DATA = ""
"""The choice of `Nothing` in the form."""
SECTIONS = (
    Section(("space",), "Search space", "The options of each layer.", SPACES),
    Section(("estimator",), "Estimate", "How a network is judged without training it in full.", ESTIMATORS),
    Section(
        ("dataset",),
        "Data",
        "What networks train on. A part of the training images is held out; test images are never used.",
        DATASETS,
        Nothing("None (a table needs no images)"),
    ),
    Section(("algorithm",), "Algorithm", "How the next networks are chosen.", ALGORITHMS),
    Section(
        ("objective",),
        "Objective",
        "The score is maximised within this cost range. An empty field means no limit.",
        model=Objective,
        first="cost_metric",
        spokesman="hi",
        extra="searches/partials/objective_extra.html",
    ),
    Section(
        ("final", "estimator"),
        "Final estimate",
        "The leading networks can be scored again, more thoroughly or with another seed. These scores then decide.",
        ESTIMATORS,
        Nothing("None (the best score wins)", first=True),
        own=((Final, ("final", "count")), (Final, ("final", "share"))),
    ),
    Section(
        ("budget",),
        "Budget",
        "When to stop. You can extend the budget later.",
        model=Budget,
        own=((SearchConfig, ("round_size",)), (SearchConfig, ("seed",))),
        spokesman="evaluations",
    ),
)
LIMITS = Further(
    ("objective", "constraints"),
    {name: Constraint.model_fields[name] for name in ("metric", "lo", "hi")},
    blank="metric",
    spokesman="hi",
    most=20,
)
EXTRAS = {
    "chain": "searches/partials/chain_extra.html",
    "upload": "searches/partials/upload_extra.html",
    "table": "searches/partials/table_extra.html",
}
"""Templates of what follows the options of a kind."""
UNSHOWN = {(Objective, "latency_hash")}
"""Options that nasweb sets, and that no form shows."""
OFFERED: Mapping[tuple[type[BaseModel], str], Any] = {
    (UploadOptions, "id"): Dataset,
    (TableOptions, "table"): Table,
    (Objective, "latency_table"): LatencyTable,
}
"""Options that name a row of the user's own."""
SUGGESTED: Mapping[tuple[type[BaseModel], str], str] = {
    (TableOptions, name): "table-columns" for name in ("reward", "cost", "truth", "seconds")
}
"""Options that the page has suggestions for."""


STARTS: Mapping[tuple[type[BaseModel], str], str] = {(ChainOptions, "definition"): CHAIN_EXAMPLE}
"""The values that a new form shows in options that have no default."""


@cache
def options() -> tuple[FormOption, ...]:
    """Return every option of the form, section by section; the further limits are not among them."""
    return tuple(option for section in SECTIONS for option in _of_section(section))


def _of_section(section: Section) -> Iterator[FormOption]:
    for kind, entry in (section.kinds or {}).items():
        for name in entry.options.model_fields:
            if name != "kind":
                yield _option(section, entry.options, (*section.path, name), kind)
    if section.model is not None:
        fields = section.model.model_fields
        for name in sorted(fields, key=lambda name: name != section.first):
            if (section.model, name) not in UNSHOWN and not is_rows(fields[name]):
                yield _option(section, section.model, (*section.path, name))
    for model, path in section.own:
        yield _option(section, model, path)


def _option(section: Section, model: type[BaseModel], path: Path, kind: str = "") -> FormOption:
    name = path[-1]
    shown = ".".join((section.key, kind, name) if kind else path)
    key = (model, name)
    return FormOption(
        shown,
        path,
        model.model_fields[name],
        section,
        kind,
        OFFERED.get(key),
        STARTS.get(key, ""),
        SUGGESTED.get(key, ""),
    )


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration document by form name; definitions become YAML text."""
    values: dict[str, Any] = {"name": config["name"]} if "name" in config else {}
    for section in SECTIONS:
        if section.kinds is not None:
            part = value_at(config, section.path)
            values[section.chooser] = part.get("kind") if isinstance(part, Mapping) else NO_DATA
    for option in options():
        if option.kind and values[option.section.chooser] != option.kind:
            continue
        part = value_at(config, option.path[:-1])
        if isinstance(part, Mapping) and option.path[-1] in part:
            values[option.name] = as_text(part[option.path[-1]])
    for index, row in enumerate(value_at(config, LIMITS.path) or ()):
        values.update({LIMITS.name(index, name): value for name, value in row.items()})
    return values


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a place of the document, or None if there is none."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
