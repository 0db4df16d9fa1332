"""Websockets that only ring: the page reads what changed as event rows, so a lost message loses nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from searches.models import Search

REFUSED = 4404
"""Close code for "no such search, or not yours"; a page cannot read an HTTP status, so the handshake succeeds first."""


class Doorbell(AsyncJsonWebsocketConsumer, ABC):
    """Joins one group and passes its rings on; whoever may not listen is closed with `REFUSED`."""

    group = ""

    async def connect(self) -> None:
        """Accepts, then joins or refuses."""
        await self.accept()
        group = await self.find_group(self.scope.get("user"))
        if group is None:
            await self.close(code=REFUSED)
            return
        self.group = group
        await self.channel_layer.group_add(group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        """Leaves the group."""
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """The page has nothing to say here."""

    async def doorbell(self, message: dict[str, Any]) -> None:
        """One ring, as `searches.events` sends it."""
        await self.send_json({key: value for key, value in message.items() if key != "type"})

    @abstractmethod
    async def find_group(self, user: Any) -> str | None:
        """The group to join, or None when the user may not."""


class SearchDoorbell(Doorbell):
    """``/ws/searches/{id}/``: sends ``{"seq": N}`` after every change of the search."""

    async def find_group(self, user: Any) -> str | None:
        """Its owner only."""
        search = self.scope["url_route"]["kwargs"]["search"]
        return f"search.{search}" if await owns(user, search) else None


class ListDoorbell(Doorbell):
    """``/ws/searches/``: sends ``{"search": id, "seq": N}`` after every change of any search of the user."""

    async def find_group(self, user: Any) -> str | None:
        """Signed-in users only."""
        return f"searches.{user.pk}" if user is not None and user.is_authenticated else None


@database_sync_to_async
def owns(user: Any, search: int) -> bool:
    """Whether the search is there and the user's."""
    return bool(user and user.is_authenticated and Search.objects.filter(pk=search, owner=user).exists())
