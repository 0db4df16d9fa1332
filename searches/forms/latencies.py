"""Measuring or uploading a latency table."""

from __future__ import annotations

from typing import Any

from django import forms
from pydantic import TypeAdapter, ValidationError

from engine.config.base import Options
from engine.config.latency import ImageSize, LatencyOptions, LatencyRequest
from engine.config.spaces import SpaceOptions
from engine.errors import ConfigError
from engine.registry import SPACES
from searches.forms.fields import default_of, form_field
from searches.forms.sources import SourceForm
from searches.models import Dataset, SearchSpace

_SPACE: TypeAdapter[SpaceOptions] = TypeAdapter(SpaceOptions)
GIVEN_SIZE, DIGITS = "size", "digits"
PARTS: dict[str, type[Options]] = {"input": ImageSize, "measurement": LatencyOptions}


class LatencyUploadForm(SourceForm):
    """A CSV or JSON table."""

    file = forms.FileField(
        label="CSV or JSON file",
        help_text="Columns “operator” and “milliseconds”, or {“operators”: {name: milliseconds}}; names as in a "
        "measured table's download.",
        widget=forms.FileInput(attrs={"accept": ".csv,.json"}),
    )


class MeasureForm(forms.Form):
    """A space, the images, and how to measure; validates into ``request``."""

    def __init__(self, owner: Any, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="measure_%s", prefix="measure")
        self.request: LatencyRequest | None = None
        self.fields["name"] = forms.CharField(
            max_length=200, required=False, label="Name", help_text="Empty: the space's name and the images"
        )
        rows = SearchSpace.objects.filter(owner=owner)
        self._spaces = {f"space-{row.pk}": (row.name, row.options) for row in rows}
        self._spaces |= {kind: (entry.label, {"kind": kind}) for kind, entry in SPACES.items() if _has_defaults(kind)}
        self._data: dict[str, Any] = {GIVEN_SIZE: ("A size, given below", None), DIGITS: ("Digits", {"kind": DIGITS})}
        for dataset in Dataset.objects.filter(owner=owner):
            self._data[f"upload-{dataset.pk}"] = (dataset.name, {"kind": "upload", "id": dataset.pk})
        self.fields["space"] = _choice("Search space", self._spaces, "Every operator of its networks is measured")
        self.fields["dataset"] = _choice("Images", self._data, "As a search's: they say what reaches the operators")
        for part, model in PARTS.items():
            for name, info in model.model_fields.items():
                self.fields[f"{part}.{name}"] = form_field(name, info)
                self.initial.setdefault(f"{part}.{name}", default_of(info))
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    def clean(self) -> dict[str, Any]:
        """Has the engine check the document."""
        given = self.cleaned_data
        if self.errors:
            return given
        document: dict[str, Any] = {"name": given["name"], "space": self._spaces[given["space"]][1]}
        document["dataset"] = self._data[given["dataset"]][1]
        for part, model in PARTS.items():
            if part != "input" or document["dataset"] is None:
                filled = {name: given[f"{part}.{name}"] for name in model.model_fields}
                document[part] = {name: value for name, value in filled.items() if value not in ("", None)}
        try:
            self.request = LatencyRequest.parse(document)
        except ConfigError as error:
            self.add_errors(error)
        return given

    def add_errors(self, error: ConfigError) -> None:
        """Every complaint at its field, else at the space."""
        for item in error.errors:
            path = item.path if item.path in self.fields else item.path.partition(".")[0]
            self.add_error(path if path in self.fields else "space", item.message)


def _choice(label: str, entries: dict[str, tuple[str, Any]], help_text: str) -> forms.ChoiceField:
    choices = [(key, shown) for key, (shown, _) in entries.items()]
    return forms.ChoiceField(label=label, choices=choices, help_text=help_text)


def _has_defaults(kind: str) -> bool:
    try:
        _SPACE.validate_python({"kind": kind})
    except ValidationError:
        return False
    return True
