"""The doorbells over a real broker: who may listen, and the ring of a recorded event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from searches import events
from searches.consumers import REFUSED
from searches.routing import websocket_urlpatterns
from tests.searches.factories import make_search, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 10.0


async def listen(path: str, user: Any) -> ApplicationCommunicator:
    scope = {"type": "websocket", "path": path, "user": user}
    socket = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(PATIENCE))["type"] == "websocket.accept"
    return socket


async def heard(socket: ApplicationCommunicator) -> Any:
    return json.loads((await socket.receive_output(PATIENCE))["text"])


async def leave(socket: ApplicationCommunicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(PATIENCE)


async def test_the_owner_hears_the_search_and_the_list() -> None:
    owner = await sync_to_async(make_user)()
    search = await sync_to_async(make_search)(owner)
    one = await listen(f"/ws/searches/{search.pk}/", owner)
    every = await listen("/ws/searches/", owner)
    other = await listen("/ws/searches/", await sync_to_async(make_user)())
    await sync_to_async(events.record)(search, [events.error("a"), events.error("b")])
    assert await heard(one) == {"seq": 2}
    assert await heard(every) == {"search": search.pk, "seq": 2}
    assert await other.receive_nothing(0.5)
    for socket in (one, every, other):
        await leave(socket)


@pytest.mark.parametrize("who", ["stranger", "anonymous"])
async def test_nobody_else_may_listen(who: str) -> None:
    search = await sync_to_async(make_search)(await sync_to_async(make_user)())
    user = AnonymousUser() if who == "anonymous" else await sync_to_async(make_user)()
    paths = [f"/ws/searches/{search.pk}/", f"/ws/searches/{search.pk + 1}/"]
    for path in [*paths, "/ws/searches/"] if who == "anonymous" else paths:
        socket = await listen(path, user)
        assert await socket.receive_output(PATIENCE) == {"type": "websocket.close", "code": REFUSED}


async def test_what_a_page_says_is_ignored() -> None:
    owner = await sync_to_async(make_user)()
    socket = await listen("/ws/searches/", owner)
    await socket.send_input({"type": "websocket.receive", "text": '{"anything": 1}'})
    assert await socket.receive_nothing(0.3)
    await leave(socket)
