"""The page that is shown in place of one whose search has a configuration that cannot be read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from searches.models.documents import UnreadableDocument


class UnreadablePage(MiddlewareMixin):
    """Middleware that answers a page's UnreadableDocument with its sentence; the API has its own answers."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page with status 409; None for other exceptions."""
        if not isinstance(exception, UnreadableDocument):
            return None
        return render(request, "searches/unreadable.html", {"sentence": exception.sentence}, status=409)
