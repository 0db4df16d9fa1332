"""HTTP clients of the tests, and the check that rows are private."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from tests.searches.factories import make_user

API = "/api/v1/"


def client_of(user: Any = None) -> APIClient:
    """Return a client signed in as ``user``, or an anonymous one."""
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def assert_private(path: str, method: str = "get", body: Any = None) -> None:
    """Check that another user's row is not found, and that requests without a sign-in are refused."""
    stranger = getattr(client_of(make_user()), method)(API + path, body, format="json")
    assert stranger.status_code == 404, stranger.content
    assert stranger.headers["Content-Type"] == "application/problem+json"
    anonymous = getattr(client_of(), method)(API + path, body, format="json")
    assert anonymous.status_code == 401, anonymous.content
    assert anonymous.json()["title"] == "Unauthorized"
