"""The form of a search. Its fields come from the option models, and the engine's errors are shown at their fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from engine.kinds import EstimateKind
from searches.forms import choosing
from searches.forms.documents import read_yaml
from searches.forms.fields import default_of, form_field, is_nullable, offered_of
from searches.forms.layout import (
    EXTRAS,
    LIMITS,
    NO_DATA,
    SECTIONS,
    FormOption,
    Path,
    Section,
    flatten,
    options,
)
from searches.models import Table


@dataclass(frozen=True)
class KindView:
    """The options of one kind, which are shown while it is chosen."""

    value: str
    label: str
    help: str
    fields: list[BoundField]
    extra: str
    """Template of what follows the fields."""


@dataclass(frozen=True)
class SectionView:
    """A section as the template draws it."""

    section: Section
    chooser: BoundField | None
    kinds: list[KindView]
    fields: list[BoundField]
    rows: list[list[BoundField]]


class SearchForm(forms.Form):
    """The form, filled from a ``document`` or as posted. A valid form has its configuration in ``config``."""

    error_css_class = "invalid"

    def __init__(
        self, owner: Any, data: Mapping[str, Any] | None = None, document: Mapping[str, Any] | None = None
    ) -> None:
        values = flatten(document or {})
        super().__init__(data, initial=values)
        self.config: SearchConfig | None = None
        self.document: dict[str, Any] = {}  # as typed, with the faulty values
        self.row_count = _rows_in(values if data is None else data) + 1
        self.used_rows: list[int] = []
        """Rows of further limits that hold something, in the order of the document's list."""
        self.fields["name"] = forms.CharField(
            label=SearchConfig.model_fields["name"].title, required=False, max_length=200
        )
        for section in SECTIONS:
            if section.kinds is not None:
                self._add_chooser(section, values)
        for option in options():
            self._add_option(option, owner)
        self._add_limits()
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
        """Fill in the defaults of kinds that are not chosen: browsers do not send them, and one may be chosen next."""
        filled = {}
        for name in (option.name for option in options() if not self._is_active(option)):
            value = self.get_initial_for_field(self.fields[name], name)
            if value is not None and value is not False:
                filled[name] = "on" if value is True else str(value)
        sent = self.data.dict() if isinstance(self.data, QueryDict) else self.data
        self.data = {**filled, **sent}

    def _add_chooser(self, section: Section, values: Mapping[str, Any]) -> None:
        offered = [(kind, entry.label) for kind, entry in (section.kinds or {}).items()]
        if section.nothing is not None:
            offered.insert(0 if section.nothing.first else len(offered), (NO_DATA, section.nothing.label))
        attrs = {"data-kind-of": section.key}
        estimates = {kind: entry for kind, entry in (section.kinds or {}).items() if isinstance(entry, EstimateKind)}
        if estimates:
            blind = [kind for kind, entry in estimates.items() if not entry.options.needs_images]
            attrs["data-without-images"] = " ".join(blind)
        self.fields[section.chooser] = forms.ChoiceField(
            label="Kind",
            choices=offered,
            initial=values.get(section.chooser, offered[0][0]),
            required=False,
            widget=forms.Select(attrs=attrs),
        )

    def _add_option(self, option: FormOption, owner: Any) -> None:
        rows = None if option.rows is None else choosing.own_rows(option.rows, owner)
        field = form_field(option.path[-1], option.info, rows)
        if option.suggestions:
            field.widget.attrs["list"] = option.suggestions
        self.fields[option.name] = field
        filled = bool(option.kind) and self.initial.get(option.section.chooser) == option.kind
        start = default_of(option.info) if filled else offered_of(option.info)
        self.initial.setdefault(option.name, option.start or start)

    def _add_limits(self) -> None:
        for index in range(self.row_count):
            for name, info in LIMITS.columns.items():
                field: Any = form_field(name, info)
                if name == LIMITS.blank:
                    field.choices = [("", "none"), *field.choices]
                self.fields[LIMITS.name(index, name)] = field

    def sections(self) -> Iterable[SectionView]:
        """Return the sections in their order."""
        return [self._shown(section) for section in SECTIONS]

    def _shown(self, section: Section) -> SectionView:
        fields: dict[str, list[BoundField]] = {}
        for option in options():
            if option.section is section:
                fields.setdefault(option.kind, []).append(self[option.name])
        kinds = [
            KindView(
                kind, entry.label, (entry.options.__doc__ or "").strip(), fields.get(kind, []), EXTRAS.get(kind, "")
            )
            for kind, entry in (section.kinds or {}).items()
        ]
        has_limits = LIMITS.path[:-1] == section.path
        rows = [[self[LIMITS.name(at, name)] for name in LIMITS.columns] for at in range(self.row_count * has_limits)]
        chooser = self[section.chooser] if section.kinds is not None else None
        return SectionView(section, chooser, kinds, fields.get("", []), rows)

    def clean(self) -> dict[str, Any]:
        """Build the document from the chosen kinds and have the engine check it."""
        for option in options():
            if option.name in self.errors and not self._is_active(option):
                del self.errors[option.name]
        self.document = self._document()
        try:
            self.config = SearchConfig.parse(self.document)
        except ConfigError as error:
            self.add_errors(error)
        if self.errors:
            self.config = None
        return self.cleaned_data

    def add_errors(self, error: ConfigError) -> None:
        """Put every complaint at its field; a field that had complaints before keeps only those."""
        already = set(self.errors)
        for item in error.errors:
            name, rest = self.place(item.path)
            if name not in already:
                self.add_error(name, f"{rest}: {item.message}" if rest else item.message)

    def place(self, path: str) -> tuple[str | None, str]:
        """Return the form field that is nearest to a dotted path, and the rest of the path; (None, path) without one.

        The nearest field is the one whose place in the document is the longest beginning of the path.
        """
        parts = tuple(path.split("."))
        places = self._places()
        for length in range(len(parts), 0, -1):
            if parts[:length] in places:
                return places[parts[:length]], ".".join(parts[length:])
        return None, path

    def _places(self) -> dict[Path, str]:
        """Return the form field of every place in the document that complaints may name, as chosen now."""
        places: dict[Path, str] = {("name",): "name", ("yaml",): "yaml"}
        for section in SECTIONS:
            if section.kinds is not None:
                of_part = dict.fromkeys(((section.key,), section.path, (*section.path, "kind")), section.chooser)
                places |= of_part
        for option in options():
            if self._is_active(option):
                places[option.path] = option.name
                if option.path == (*option.section.path, option.section.spokesman):
                    places[option.section.path] = option.name
        for at, index in enumerate(self.used_rows):
            row = (*LIMITS.path, str(at))
            places[row] = LIMITS.name(index, LIMITS.spokesman)
            places |= {(*row, name): LIMITS.name(index, name) for name in LIMITS.columns}
        return places

    def chosen(self, key: str) -> str:
        """Return the kind that is chosen in a section."""
        return str(self[f"{key}.kind"].value() or "")

    def _is_active(self, option: FormOption) -> bool:
        return not option.kind or option.kind == self.chosen(option.section.key)

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"name": self.cleaned_data.get("name", "")}
        for section in SECTIONS:
            kind = None if section.kinds is None else self.chosen(section.key)
            if kind == NO_DATA:
                document[section.key] = None
            else:
                _put(document, section.path, {} if kind is None else {"kind": kind})
        for option in options():
            if self._is_active(option) and self._is_sent(option.name):
                value = None if option.name in self.errors else self._value(option)
                _put(document, option.path, self.data.get(option.name) if option.name in self.errors else value)
        _put(document, LIMITS.path, self._limits())
        return document

    def _is_sent(self, name: str) -> bool:
        return name in self.data or isinstance(self.fields[name], forms.BooleanField)

    def _value(self, option: FormOption) -> Any:
        value = self.cleaned_data.get(option.name)
        if value in ("", None):
            if is_nullable(option.info):
                return None
            if default_of(option.info) != "" or option.info.is_required():
                self.add_error(option.name, "This field is required.")
            return ""
        if isinstance(self.fields[option.name].widget, forms.Textarea):
            return self._mapping(option.name, str(value))
        return value

    def _mapping(self, name: str, text: str) -> Any:
        try:
            return read_yaml(text)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return {}

    def _limits(self) -> list[dict[str, Any]]:
        self.used_rows = []
        rows = []
        for index in range(self.row_count):
            names = {column: LIMITS.name(index, column) for column in LIMITS.columns}
            row = {column: self.cleaned_data.get(name, self.data.get(name)) for column, name in names.items()}
            if all(value in ("", None) for value in row.values()):
                continue
            self.used_rows.append(index)
            rows.append({column: value for column, value in row.items() if value != ""})
        return rows


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Set a value of the document; nothing happens inside a part that is None, because no kind was chosen for it."""
    for name in path[:-1]:
        document = document.setdefault(name, {})
        if document is None:
            return
    document[path[-1]] = value


def _rows_in(values: Mapping[str, Any]) -> int:
    found = [re.fullmatch(rf"{re.escape('.'.join(LIMITS.path))}\.(\d+)\.\w+", name) for name in values]
    return min(1 + max((int(match[1]) for match in found if match), default=-1), LIMITS.most)
