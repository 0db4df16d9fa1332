"""Failed sign-ins, on the page and for a token: ten failures of an account from one address block it for an hour."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from nasweb.sign_in import address, sentence
from tests.searches.clients import API, client_of
from tests.searches.factories import make_user

RIGHT, WRONG = "a long enough password", "guess"
TIMES = settings.AXES_FAILURE_LIMIT
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"
REFUSAL = "Signing in to this account failed too often from your address. Wait 60 minutes, then try again."


def on_page(name: str, password: str, address: str = HERE, path: str = "/login/") -> Any:
    return Client().post(path, {"username": name, "password": password}, REMOTE_ADDR=address)


def for_token(name: str, password: str, address: str = HERE) -> Any:
    body = {"username": name, "password": password}
    return client_of().post(f"{API}token/", body, format="json", REMOTE_ADDR=address)


def later(minutes: int) -> None:
    """Move the stored failures back in time by ``minutes``."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=minutes))


@pytest.mark.django_db
class TestRefusal:
    def test_the_page(self) -> None:
        make_user("ada")
        replies = [on_page("ada", WRONG) for _ in range(TIMES)]
        assert [reply.status_code for reply in replies] == [200] * (TIMES - 1) + [429]
        for refused in (replies[-1], on_page("ada", RIGHT)):
            page = refused.content.decode()
            assert refused.status_code == 429
            assert REFUSAL in page
            assert 3590 < int(refused["Retry-After"]) <= 3600
            assert not re.search(r"<script(?![^>]*(src=|application/json))", page)

    def test_the_api(self) -> None:
        make_user("ada")
        replies = [for_token("ada", WRONG) for _ in range(TIMES)]
        assert [reply.status_code for reply in replies] == [400] * (TIMES - 1) + [429]
        for refused in (replies[-1], for_token("ada", RIGHT)):
            assert refused["Content-Type"] == "application/problem+json"
            assert 3590 < int(refused["Retry-After"]) <= 3600
            problem = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "errors": []}
            assert refused.json() == problem | {"detail": REFUSAL}

    def test_both_and_the_admin_count_together(self) -> None:
        make_user("ada", is_staff=True)
        for _ in range(TIMES):
            on_page("ada", WRONG)
        assert for_token("ada", RIGHT).status_code == 429
        assert on_page("ada", RIGHT, path="/admin/login/").status_code == 429

    def test_others_are_not_refused(self) -> None:
        make_user("ada")
        make_user("grace")
        for _ in range(TIMES):
            on_page("ada", WRONG)
        assert on_page("grace", RIGHT).status_code == 302
        assert on_page("ada", RIGHT, ELSEWHERE).status_code == 302
        assert for_token("ada", RIGHT, ELSEWHERE).status_code == 200
        assert not AccessLog.objects.exists()

    def test_it_ends_after_an_hour_and_trying_does_not_prolong_it(self) -> None:
        make_user("ada")
        for _ in range(TIMES):
            on_page("ada", WRONG)
        later(50)
        assert sentence(600) in on_page("ada", WRONG).content.decode()
        assert 590 < int(for_token("ada", RIGHT)["Retry-After"]) <= 600
        later(10)
        assert on_page("ada", WRONG).status_code == 200
        assert on_page("ada", RIGHT).status_code == 302

    def test_names_that_no_account_has(self) -> None:
        for name in ("x" * 1000, "nobody"):
            replies = [for_token(name, WRONG) for _ in range(TIMES)]
            assert [reply.status_code for reply in replies] == [400] * (TIMES - 1) + [429]
        assert on_page("x" * 1000, WRONG).status_code == 429


@pytest.fixture
def ada(transactional_db: None) -> None:
    make_user("ada")


def test_the_last_minute_is_one() -> None:
    assert "Wait 1 minute, " in sentence(1)
    assert "Wait 2 minutes, " in sentence(61)


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", None),
        ("unix:", None),
    ],
)
def test_the_address_that_counts(given: str, counted: str | None) -> None:
    assert address(RequestFactory().get("/", REMOTE_ADDR=given)) == counted


@pytest.mark.django_db
def test_other_requests_ask_nothing_about_it() -> None:
    client = Client()
    client.force_login(make_user())
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/").status_code == 200
        assert client.get(f"{API}searches/").status_code == 200
        assert client_of().get(f"{API}searches/").status_code == 401
        assert client.get("/login/").status_code == 200
    assert not [query["sql"] for query in asked if "axes" in query["sql"]]


@pytest.mark.usefixtures("ada")
async def test_behind_a_proxy_the_client_s_address_counts() -> None:
    """The address that uvicorn determined counts, not the header that a client sends itself."""
    from nasweb.asgi import application

    proxied = ProxyHeadersMiddleware(application, trusted_hosts="10.0.0.1")
    transport = httpx.ASGITransport(proxied, client=("10.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

        async def status(password: str, forwarded: str) -> int:
            body = {"username": "ada", "password": password}
            reply = await client.post(f"{API}token/", json=body, headers={"X-Forwarded-For": forwarded})
            return reply.status_code

        assert [await status(WRONG, HERE) for _ in range(TIMES)] == [400] * (TIMES - 1) + [429]
        assert await status(RIGHT, f"{ELSEWHERE}, {HERE}") == 429
        assert await status(RIGHT, ELSEWHERE) == 200
        form = (await client.get("/login/")).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token is not None
        body = {"username": "ada", "password": RIGHT, "csrfmiddlewaretoken": token[1]}
        refused = await client.post("/login/", data=body, headers={"X-Forwarded-For": HERE})
        assert (refused.status_code, REFUSAL in refused.text) == (429, True)
