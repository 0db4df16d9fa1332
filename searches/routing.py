"""Addresses of the websockets."""

from __future__ import annotations

from django.urls import path

from searches.consumers import ListDoorbell, SearchDoorbell

websocket_urlpatterns = [
    path("ws/searches/", ListDoorbell.as_asgi()),
    path("ws/searches/<int:search>/", SearchDoorbell.as_asgi()),
]
