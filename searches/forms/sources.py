"""Uploads and definitions of the user's own sources."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.errors import ConfigError
from searches.forms.documents import read_yaml


class SourceForm(forms.Form):
    """A named source; `add_errors` puts the services' complaints at the fields."""

    name = forms.CharField(max_length=200, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def add_errors(self, error: ConfigError) -> None:
        """The last field takes whatever no field is named for, with the path in words."""
        last = list(self.fields)[-1]
        for item in error.errors:
            if item.path in self.fields:
                self.add_error(item.path, item.message)
            else:
                path = item.path.removeprefix("space.").removeprefix("definition").strip(".")
                self.add_error(last, f"{path}: {item.message}" if path else item.message)


class DatasetForm(SourceForm):
    """A zip of class folders."""

    file = forms.FileField(
        label="Zip of class folders",
        help_text="train/<class>/<image>, and test/<class>/<image> if there is a test set, or <class>/<image> alone; "
        "PNG, JPEG and the like.",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )


class TableForm(SourceForm):
    """A CSV or Parquet table."""

    file = forms.FileField(
        label="CSV or Parquet file",
        help_text="One row an architecture, named in a column “arch”; the search says what the other columns are.",
        widget=forms.FileInput(attrs={"accept": ".csv,.parquet"}),
    )


class SpaceForm(SourceForm):
    """The definition of a chain; validates into a mapping."""

    definition = forms.CharField(
        label="Definition",
        strip=False,
        help_text="YAML or JSON: stem, layers with named options, head.",
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
    )

    def clean_definition(self) -> dict[str, Any]:
        """The parsed mapping."""
        value = read_yaml(self.cleaned_data["definition"])
        if not isinstance(value, dict):
            raise forms.ValidationError("The definition must be a mapping with the fields stem, layers and head.")
        return value


class ImagesForm(forms.Form):
    """The images that a space is looked at with."""

    channels = forms.IntegerField(label="Channels", min_value=1, max_value=64, initial=3)
    side = forms.IntegerField(label="Side, pixels", min_value=1, max_value=1024, initial=32)
    classes = forms.IntegerField(label="Classes", min_value=2, max_value=100_000, initial=10)

    def spec(self) -> tuple[int, int, int, int]:
        """Channels, height, width, classes; the usual ones where the form does not hold valid numbers."""
        values = self.cleaned_data if self.is_bound and self.is_valid() else {}
        channels, side, classes = (values.get(name, field.initial) for name, field in self.fields.items())
        return channels, side, side, classes
