"""Websockets that only ring: the page reads the changes as event rows, so a lost message does no harm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from searches.models import Search

REFUSED = 4404
"""Close code if the search does not exist or belongs to another user.

A page cannot read the HTTP status of a failed handshake, so the handshake succeeds first."""


class DoorbellConsumer(AsyncJsonWebsocketConsumer, ABC):
    """Joins one group and forwards its rings; a connection that is not allowed is closed with `REFUSED`."""

    group = ""

    async def connect(self) -> None:
        """Accept the connection, then join the group or close with `REFUSED`."""
        await self.accept()
        group = await self.find_group(self.scope.get("user"))
        if group is None:
            await self.close(code=REFUSED)
            return
        self.group = group
        await self.channel_layer.group_add(group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Ignore what the page sends."""

    async def doorbell(self, message: dict[str, Any]) -> None:
        """Forward a ring that `searches.events` sent."""
        await self.send_json({key: value for key, value in message.items() if key != "type"})

    @abstractmethod
    async def find_group(self, user: Any) -> str | None:
        """Return the group to join, or None if the user may not join."""


class SearchDoorbell(DoorbellConsumer):
    """``/ws/searches/{id}/``: sends ``{"seq": N}`` after every change of the search."""

    async def find_group(self, user: Any) -> str | None:
        """Return the search's group for its owner, and None for other users."""
        search = self.scope["url_route"]["kwargs"]["search"]
        return f"search.{search}" if await owns(user, search) else None


class ListDoorbell(DoorbellConsumer):
    """``/ws/searches/``: sends ``{"search": id, "seq": N}`` after every change of any search of the user."""

    async def find_group(self, user: Any) -> str | None:
        """Return the group of the user's searches, or None if the user is not signed in."""
        return f"searches.{user.pk}" if user is not None and user.is_authenticated else None


@database_sync_to_async
def owns(user: Any, search: int) -> bool:
    """Whether the search exists and belongs to the user."""
    return bool(user and user.is_authenticated and Search.objects.filter(pk=search, owner=user).exists())
