"""The one Django app."""

from __future__ import annotations

from django.apps import AppConfig

from engine.config.base import WORDS


class SearchesConfig(AppConfig):
    """Searches, their candidates and their pages."""

    name = "searches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Has forms and the API's serializers tell what a field may be in the engine's words."""
        from django import forms
        from rest_framework import serializers

        least, most, longest = (WORDS[kind] for kind in ("greater_than_equal", "less_than_equal", "string_too_long"))
        limit = "%(limit_value)s"
        words = {"min_value": least.format(ge=limit), "max_value": most.format(le=limit)}
        forms.Field.default_error_messages |= words | {"max_length": longest.format(max_length=limit)}
        words = {"min_value": least.format(ge="{min_value}"), "max_value": most.format(le="{max_value}")}
        for name, kind in (("IntegerField", "int_type"), ("FloatField", "float_type")):
            getattr(forms, name).default_error_messages |= {"invalid": WORDS[kind]}
            getattr(serializers, name).default_error_messages |= words | {"invalid": WORDS[kind]}
        serializers.BooleanField.default_error_messages |= {"invalid": WORDS["bool_type"]}
        serializers.CharField.default_error_messages |= {"max_length": longest}
        serializers.ListField.default_error_messages |= {"max_length": WORDS["too_long"]}
