"""Sign-in on the embedded default, and refusal of other web pages."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import Client
from rest_framework.authtoken.models import Token

from nasweb.local_owner import REFUSAL, local_owner
from tests.searches.factories import make_user

SEARCHES = "/api/v1/searches/"
ELSEWHERE = "http://elsewhere.example"


@pytest.fixture
def embedded(settings: Any) -> None:
    """The embedded default on loopback."""
    settings.NASWEB_EMBEDDED = True
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


@pytest.fixture
def client() -> Client:
    """A program on this machine: no cookie, no token, with CSRF checks."""
    return Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1:8000"})


def post(client: Client, headers: dict[str, str]) -> Any:
    """Post a body that is refused for its content, so that nothing is created."""
    return client.post(SEARCHES, {}, content_type="application/json", headers=headers)


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
class TestEmbedded:
    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
    def test_no_account_is_needed_on_loopback(self, client: Client, address: str) -> None:
        response = client.get(SEARCHES, REMOTE_ADDR=address)
        assert response.status_code == 200
        assert post(client, {}).status_code == 400

    @pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::7", "", "unix:"])
    def test_other_machines_need_one(self, client: Client, address: str) -> None:
        assert client.get(SEARCHES, REMOTE_ADDR=address).status_code == 401

    @pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
    def test_so_does_everyone_behind_a_proxy(self, client: Client, header: str) -> None:
        assert client.get(SEARCHES, headers={header: "127.0.0.1"}).status_code == 401

    def test_foreign_host_is_refused(self, client: Client) -> None:
        """A host name that resolves to this machine is refused, too."""
        assert client.get(SEARCHES, headers={"host": "elsewhere.example"}).status_code == 400

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": ELSEWHERE},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:3000"},
            {"origin": "https://127.0.0.1:8000"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_other_pages_change_nothing(self, client: Client, headers: dict[str, str]) -> None:
        response = post(client, headers)
        assert response.status_code == 403
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["detail"] == REFUSAL

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": "http://127.0.0.1:8000"},
            {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
            {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        ],
    )
    def test_own_page_and_programs_may(self, client: Client, headers: dict[str, str]) -> None:
        assert post(client, headers).status_code == 400

    def test_other_pages_may_link_here_but_not_load_from_here(self, client: Client) -> None:
        link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        load = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert client.get(SEARCHES, headers=link).status_code == 200
        assert client.get(SEARCHES, headers=load).status_code == 403
        refused = client.get("/", headers=load)
        assert (refused.status_code, refused.content.decode()) == (403, REFUSAL)

    def test_rows_are_the_owner_s(self, client: Client) -> None:
        """A token or a session takes precedence over the local owner."""
        user = make_user("somebody")
        token = {"authorization": f"Token {Token.objects.create(user=user).key}"}
        assert client.get(SEARCHES, headers=token).renderer_context["request"].user == user
        assert client.get(SEARCHES).renderer_context["request"].user == local_owner()
        client.force_login(user)
        assert client.get(SEARCHES).renderer_context["request"].user == user

    def test_the_owner_has_no_password(self) -> None:
        owner = local_owner()
        assert owner == local_owner()
        assert not owner.has_usable_password()
        assert authenticate(HttpRequest(), username=owner.username, password="") is None


@pytest.mark.django_db
def test_accounts_everywhere_else(client: Client) -> None:
    assert client.get(SEARCHES).status_code == 401


async def answer(headers: dict[str, str], address: str = "127.0.0.1") -> dict[str, Any]:
    """Return the application's answer to a websocket's opening: refusal, close or acceptance."""
    from nasweb.asgi import application

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": "/ws/searches/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 50_000),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    first = await socket.receive_output(5)
    if first["type"] == "websocket.accept" and not await socket.receive_nothing(0.3):
        return await socket.receive_output(5)
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(5)
    return first


async def connects(headers: dict[str, str], address: str = "127.0.0.1") -> bool:
    """Whether a websocket is accepted and stays open."""
    return (await answer(headers, address))["type"] == "websocket.accept"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("embedded")
class TestSockets:
    OWN = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}

    async def test_own_page_is_let_in(self) -> None:
        assert await connects(self.OWN)
        assert await connects({**self.OWN, "sec-fetch-site": "same-origin"})

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": ELSEWHERE},
            {"origin": "http://127.0.0.1:3000"},
            {"host": "elsewhere.example", "origin": ELSEWHERE},
            {"host": "elsewhere.example"},
            {"sec-fetch-site": "cross-site"},
            {"x-forwarded-for": "127.0.0.1"},
        ],
    )
    async def test_others_are_not(self, headers: dict[str, str]) -> None:
        assert not await connects({**self.OWN, **headers})

    async def test_a_page_of_another_port_is_told_so(self) -> None:
        start = await answer({**self.OWN, "origin": "http://127.0.0.1:3000"})
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)

    async def test_other_machines_are_not(self) -> None:
        assert not await connects(self.OWN, address="10.0.0.7")
