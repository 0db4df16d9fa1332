"""The one Django app."""

from __future__ import annotations

from django.apps import AppConfig


class SearchesConfig(AppConfig):
    """Searches, their candidates and their pages."""

    name = "searches"
    default_auto_field = "django.db.models.BigAutoField"
