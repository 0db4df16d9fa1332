"""The one Django app."""

from __future__ import annotations

from django.apps import AppConfig

from engine.config.base import WORDS


class SearchesConfig(AppConfig):
    """Searches, their candidates and their pages."""

    name = "searches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make form fields report errors in the engine's words; `api.problems` does the same for the API."""
        from django import forms

        limit = "%(limit_value)s"
        forms.Field.default_error_messages |= {
            "min_value": WORDS["greater_than_equal"].format(ge=limit),
            "max_value": WORDS["less_than_equal"].format(le=limit),
            "max_length": WORDS["string_too_long"].format(max_length=limit),
        }
        forms.IntegerField.default_error_messages |= {"invalid": WORDS["int_type"]}
        forms.FloatField.default_error_messages |= {"invalid": WORDS["float_type"]}
