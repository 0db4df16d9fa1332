"""Every address of the house: pages and the REST API."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("api/v1/", include("searches.api.urls"))]
