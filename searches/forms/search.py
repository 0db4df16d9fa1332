"""The form of a search: fields from the option models, errors from the engine, put at the field they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from engine.config.search import Final, SearchConfig
from engine.errors import ConfigError
from searches.forms.documents import read_yaml
from searches.forms.fields import default_of, form_field, is_nullable, is_rows
from searches.forms.layout import (
    CHAIN_EXAMPLE,
    FINAL,
    NO_DATA,
    ROW_FIELDS,
    ROWS,
    SECTIONS,
    Section,
    flatten,
    row_name,
    section_options,
)
from searches.models import Dataset, LatencyTable, Table

FALLBACK = {"objective": "objective.hi", "budget": "budget.evaluations"}
"""Where a complaint about a whole part is shown, if not at the part's first field."""


@dataclass(frozen=True)
class KindView:
    """The options of one kind, shown while it is chosen."""

    value: str
    label: str
    help: str
    fields: list[BoundField]


@dataclass(frozen=True)
class SectionView:
    """A section as the template draws it."""

    section: Section
    chooser: BoundField | None
    kinds: list[KindView]
    fields: list[BoundField]
    rows: list[list[BoundField]]


class SearchForm(forms.Form):
    """Validates into ``config``. ``document`` fills a new form; posted values are kept as typed."""

    error_css_class = "invalid"

    def __init__(
        self, owner: Any, data: Mapping[str, Any] | None = None, document: Mapping[str, Any] | None = None
    ) -> None:
        values = flatten(document or {})
        super().__init__(data, initial=values)
        self.config: SearchConfig | None = None
        self.document: dict[str, Any] = {}  # as typed, faulty values among them
        self.row_count = _rows_in(values if data is None else data) + 1
        choices = {
            "dataset.upload.id": _named(Dataset, owner),
            "estimator.table.table": _named(Table, owner),
            "final.table.table": _named(Table, owner),
            "objective.latency_table": _named(LatencyTable, owner),
        }
        name = SearchConfig.model_fields["name"]
        self.fields["name"] = forms.CharField(label=name.title, required=False, max_length=200)
        self.info: dict[str, Any] = {}
        self.initial.setdefault("space.chain.definition", CHAIN_EXAMPLE)
        for section in SECTIONS:
            self._add_section(section, values, choices)
        self.fields["yaml"] = forms.CharField(
            required=False,
            strip=False,
            label="Configuration",
            widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false"}),
        )
        for bound in self:
            bound.field.widget.attrs.setdefault("autocomplete", "off")
        if data is not None:
            self._fill_kinds_not_sent()
        self.columns = sorted({c["name"] for table in Table.objects.filter(owner=owner) for c in table.columns})

    def _fill_kinds_not_sent(self) -> None:
        """Browsers send the chosen kinds' fields only; the others keep their defaults, should they be chosen next."""
        filled = {}
        for name in (name for name in self.info if not self._active(name)):
            value = self.get_initial_for_field(self.fields[name], name)
            if value is not None and value is not False:
                filled[name] = "on" if value is True else str(value)
        sent = self.data.dict() if isinstance(self.data, QueryDict) else self.data
        self.data = {**filled, **sent}

    def _add_section(self, section: Section, values: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
        if section.kinds is not None:
            offered = [(kind, entry.label) for kind, entry in section.kinds.items()]
            if section.key == "dataset":
                offered.append((NO_DATA, "None (a table needs no images)"))
            if section.key == FINAL:
                offered.insert(0, (NO_DATA, "None (the best score wins)"))
            chosen = values.get(f"{section.key}.kind", offered[0][0])
            self.fields[f"{section.key}.kind"] = forms.ChoiceField(
                label="Kind",
                choices=offered,
                initial=chosen,
                required=False,
                widget=forms.Select(attrs={"data-kind-of": section.key}),
            )
        for name, _, info in section_options(section):
            if is_rows(info):
                self._add_rows(values)
                continue
            self.info[name] = info
            self.fields[name] = form_field(name.rsplit(".", 1)[-1], info, choices.get(name))
            self.initial.setdefault(name, default_of(info))
            if name.startswith(("estimator.table.", "final.table.")) and name.rsplit(".", 1)[-1] in (
                "reward",
                "cost",
                "truth",
                "seconds",
            ):
                self.fields[name].widget.attrs["list"] = "table-columns"

    def _add_rows(self, values: Mapping[str, Any]) -> None:
        for index in range(self.row_count):
            for name, info in ROW_FIELDS.items():
                field: Any = form_field(name, info)
                if name == "metric":
                    field.choices = [("", "none"), *field.choices]
                self.fields[row_name(index, name)] = field

    # --- for the template --------------------------------------------------------------------------------------
    def sections(self) -> Iterable[SectionView]:
        """The sections in their order."""
        for section in SECTIONS:
            kinds: list[KindView] = []
            for kind, entry in (section.kinds or {}).items():
                prefix = f"{section.key}.{kind}."
                kinds.append(
                    KindView(
                        kind,
                        entry.label,
                        (entry.options.__doc__ or "").strip(),
                        [self[n] for n in self.info if n.startswith(prefix)],
                    )
                )
            plain = [self[name] for name, kind, info in section_options(section) if not kind and not is_rows(info)]
            rows = (
                [[self[row_name(i, n)] for n in ROW_FIELDS] for i in range(self.row_count)]
                if section.key == "objective"
                else []
            )
            chooser = self[f"{section.key}.kind"] if section.kinds is not None else None
            yield SectionView(section, chooser, kinds, plain, rows)

    # --- validation --------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        """Builds the document from the chosen kinds and has the engine check it."""
        for name in [name for name in self.errors if not self._active(name)]:
            del self.errors[name]
        self.document = self._document()
        try:
            self.config = SearchConfig.parse(self.document)
        except ConfigError as error:
            self.add_errors(error)
        if self.errors:
            self.config = None
        return self.cleaned_data

    def add_errors(self, error: ConfigError) -> None:
        """Puts every complaint at its field; a field that was already complained about keeps its first one."""
        already = set(self.errors)
        for item in error.errors:
            name, rest = self.place(item.path)
            if name not in already:
                self.add_error(name, f"{rest}: {item.message}" if rest else item.message)

    def place(self, path: str) -> tuple[str | None, str]:
        """``(form field, rest of the path below it)`` for a dotted path; (None, path) when no field fits."""
        parts = path.split(".") if path else []
        if parts[:2] == [FINAL, "estimator"]:
            parts = [FINAL, *parts[2:]]
        elif path in self.fields:
            return path, ""
        if (
            parts[:2] == ROWS.split(".")
            and len(parts) > 2
            and parts[2].isdigit()
            and int(parts[2]) < len(self.used_rows)
        ):
            row = self.used_rows[int(parts[2])]
            column = parts[3] if len(parts) > 3 else "hi"
            return row_name(row, column), ".".join(parts[4:])
        if parts and f"{parts[0]}.kind" in self.fields:
            kind = self.chosen(parts[0])
            for length in range(len(parts), 0, -1):
                name = ".".join((parts[0], kind, *parts[1:length])) if length > 1 else f"{parts[0]}.kind"
                if name in self.fields:
                    return name, ".".join(parts[length:]) if length > 1 else ".".join(parts[1:])
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            name = FALLBACK.get(name, name)
            if name in self.fields:
                return name, ".".join(parts[length:])
        return None, path

    def chosen(self, key: str) -> str:
        """The kind chosen in a section."""
        return str(self[f"{key}.kind"].value() or "")

    def _active(self, name: str) -> bool:
        parts = name.split(".")
        return f"{parts[0]}.kind" not in self.fields or len(parts) < 3 or parts[1] == self.chosen(parts[0])

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"name": self.cleaned_data.get("name", "")}
        for section in SECTIONS:
            if section.kinds is not None:
                kind = self.chosen(section.key)
                document[section.key] = {"kind": kind} if kind else None
            elif section.model is not None:
                document[section.key] = {}
        for name, info in self.info.items():
            if not self._active(name) or not self._sent(name):
                continue
            value = None if name in self.errors else self._value(name, info)
            if name in self.errors:
                value = self.data.get(name)
            key, _, rest = name.partition(".")
            if rest and document[key] is None:
                continue
            if rest:
                document[key][rest.rsplit(".", 1)[-1]] = value
            else:
                document[key] = value
        document["objective"]["constraints"] = self._constraints()
        final = document.pop(FINAL)
        if final and "kind" in final:
            own = {name: final.pop(name) for name in Final.model_fields if name in final}
            document[FINAL] = {"estimator": final, **own}
        return document

    def _sent(self, name: str) -> bool:
        return name in self.data or isinstance(self.fields[name], forms.BooleanField)

    def _value(self, name: str, info: Any) -> Any:
        value = self.cleaned_data.get(name)
        if value in ("", None):
            if is_nullable(info):
                return None
            if default_of(info) != "" or info.is_required():
                self.add_error(name, "This field is required.")
            return ""
        if isinstance(self.fields[name].widget, forms.Textarea):
            return self._mapping(name, str(value))
        return value

    def _mapping(self, name: str, text: str) -> Any:
        try:
            return read_yaml(text)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return {}

    def _constraints(self) -> list[dict[str, Any]]:
        self.used_rows: list[int] = []
        rows = []
        for index in range(self.row_count):
            row = {
                name: self.cleaned_data.get(at, self.data.get(at))
                for name in ROW_FIELDS
                for at in [row_name(index, name)]
            }
            if all(value in ("", None) for value in row.values()):
                continue
            self.used_rows.append(index)
            rows.append({name: value for name, value in row.items() if value != ""})
        return rows


def _rows_in(values: Mapping[str, Any]) -> int:
    found = [re.fullmatch(rf"{re.escape(ROWS)}\.(\d+)\.\w+", name) for name in values]
    return min(1 + max((int(match[1]) for match in found if match), default=-1), 20)


def _named(model: Any, owner: Any) -> list[tuple[int, str]]:
    return [(row.pk, row.name) for row in model.objects.filter(owner=owner)]
