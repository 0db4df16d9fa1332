"""The forms that measure and upload latency tables."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.config.base import Options
from engine.config.latency import ImageSize, LatencyOptions, LatencyRequest
from engine.errors import ConfigError
from searches.forms import choosing
from searches.forms.fields import default_of, form_field
from searches.forms.sources import SourceForm

GIVEN_SIZE = choosing.Choice("size", "A size, given below", None)
PARTS: dict[str, type[Options]] = {"input": ImageSize, "measurement": LatencyOptions}


class LatencyUploadForm(SourceForm):
    """A CSV or JSON table."""

    file = forms.FileField(
        label="CSV or JSON file",
        help_text="Columns “operator” and “milliseconds”, or {“operators”: {name: milliseconds}}. The names are those "
        "in the download of a measured table.",
        widget=forms.FileInput(attrs={"accept": ".csv,.json"}),
    )


class MeasureForm(forms.Form):
    """A space, the images, and the options of the measurement. A valid form has them in ``request``."""

    def __init__(self, owner: Any, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="measure_%s", prefix="measure")
        self.request: LatencyRequest | None = None
        self.fields["name"] = forms.CharField(
            max_length=200, required=False, label="Name", help_text="Empty: the space's name and the images"
        )
        self._spaces = choosing.spaces(owner)
        self._data = choosing.data(owner, first=[GIVEN_SIZE])
        space = forms.ChoiceField(label="Search space", help_text="Every operator of its networks is measured")
        images = forms.ChoiceField(
            label="Images", help_text="Their size, and the number of classes, decide what the operators compute"
        )
        self.fields["space"] = self._spaces.fill(space)
        self.fields["dataset"] = self._data.fill(images)
        for part, model in PARTS.items():
            for name, info in model.model_fields.items():
                self.fields[f"{part}.{name}"] = form_field(name, info)
                self.initial.setdefault(f"{part}.{name}", default_of(info))
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    def clean(self) -> dict[str, Any]:
        """Have the engine check the document, and put its complaints at their fields."""
        given = self.cleaned_data
        if self.errors:
            return given
        document: dict[str, Any] = {"name": given["name"], "space": self._spaces.part(given["space"])}
        document["dataset"] = self._data.part(given["dataset"])
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
        """Put every complaint at its field, or at the space if it has none."""
        for item in error.errors:
            path = item.path if item.path in self.fields else item.path.partition(".")[0]
            self.add_error(path if path in self.fields else "space", item.message)
