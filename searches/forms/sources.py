"""The forms that add the user's own data sets, tables and spaces."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.errors import ConfigError
from searches.forms.documents import read_yaml


class SourceForm(forms.Form):
    """A source with a name."""

    name = forms.CharField(max_length=200, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def add_errors(self, error: ConfigError) -> None:
        """Put the services' complaints at their fields; those without a field go to the last field, with their path."""
        last = list(self.fields)[-1]
        for item in error.errors:
            if item.path in self.fields:
                self.add_error(item.path, item.message)
            else:
                path = item.path.removeprefix("space.").removeprefix("definition").strip(".")
                self.add_error(last, f"{path}: {item.message}" if path else item.message)


class DatasetForm(SourceForm):
    """Images as a zip of class folders."""

    file = forms.FileField(
        label="Zip of class folders",
        help_text="train/<class>/<image>, and test/ or val/<class>/<image> if there is a test set, or "
        "<class>/<image> alone; PNG, JPEG and the like.",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )


class TableForm(SourceForm):
    """A table as a CSV or Parquet file."""

    file = forms.FileField(
        label="CSV or Parquet file",
        help_text="One row for each architecture, named in the column “arch”. "
        "The search says what the other columns are.",
        widget=forms.FileInput(attrs={"accept": ".csv,.parquet,.jsonl,.gz,.bz2,.xz,.zip"}),
    )


class SpaceForm(SourceForm):
    """The definition of a chain, which a valid form has as a mapping."""

    definition = forms.CharField(
        label="Definition",
        strip=False,
        help_text="YAML or JSON: stem, layers with named options, head.",
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
    )

    def clean_definition(self) -> dict[str, Any]:
        """Return the parsed mapping."""
        value = read_yaml(self.cleaned_data["definition"])
        if not isinstance(value, dict):
            raise forms.ValidationError("The definition must be a mapping with the fields stem, layers and head.")
        return value


class ImagesForm(forms.Form):
    """The size of the images for which a space is shown."""

    channels = forms.IntegerField(label="Channels", min_value=1, max_value=64, initial=3)
    side = forms.IntegerField(label="Side, pixels", min_value=1, max_value=1024, initial=32)
    classes = forms.IntegerField(label="Classes", min_value=2, max_value=100_000, initial=10)

    def spec(self) -> tuple[int, int, int, int]:
        """Return channels, height, width and classes; the defaults unless all numbers of the form are valid."""
        values = self.cleaned_data if self.is_bound and self.is_valid() else {}
        channels, side, classes = (values.get(name, field.initial) for name, field in self.fields.items())
        return channels, side, side, classes
