"""The log of a search and its doorbell."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels.layers import channel_layers, get_channel_layer
from django.db import close_old_connections, connection, transaction

from searches import events
from searches.models import Search
from tests.searches.factories import make_search, make_user


@pytest.fixture
def search(transactional_db: None) -> Search:
    return make_search(make_user())


def test_events_are_numbered_without_gaps_also_by_many_writers(search: Search) -> None:
    def write(writer: int) -> None:
        for number in range(10):
            with transaction.atomic():
                events.record(search_of(search), [events.error(f"{writer}:{number}"), events.candidates([number])])
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    close_old_connections()
    assert list(search.events.values_list("seq", flat=True)) == list(range(1, 81))
    search.refresh_from_db()
    assert search.event_seq == 80


def search_of(search: Search) -> Search:
    """Return a copy of the row for another thread."""
    return Search.objects.get(pk=search.pk)


def test_a_change_that_is_rolled_back_leaves_no_event(search: Search) -> None:
    with transaction.atomic():
        events.record(search, [events.error("never")])
        transaction.set_rollback(True)
    with transaction.atomic():
        events.record(search, [events.error("first")])
    assert list(search.events.values_list("seq", "message")) == [(1, "first")]


def test_every_kind_says_what_the_page_needs(search: Search) -> None:
    search.status = "failed"
    search.status_reason = "no disk"
    entries = [
        events.status(search),
        events.candidates([3, 4]),
        events.round_told(0, 8, 7),
        events.failure(5, "8:8", "it broke"),
    ]
    with transaction.atomic():
        events.record(search, entries)
    assert list(search.events.values_list("kind", "message", "payload")) == [
        ("status", "failed: no disk", {"status": "failed", "reason": "no disk"}),
        ("candidates", "", {"numbers": [3, 4]}),
        ("round", "round 1: 7 of 8 scored", {"round": 0, "asked": 8, "scored": 7}),
        ("error", "#5 8:8: it broke", {"candidate": 5, "error": "it broke"}),
    ]


async def listen(groups: list[str], act: object) -> list[dict]:
    """Return the rings on the groups after ``act``, until a second passes without a ring."""
    layer = get_channel_layer()
    rung = []
    channel = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, channel)
    await asyncio.to_thread(act)
    while True:
        try:
            rung.append(await asyncio.wait_for(layer.receive(channel), 1.0))
        except TimeoutError:
            return rung


def test_the_doorbell_rings_after_the_commit_and_the_last_ring_is_never_lost(search: Search) -> None:
    def act() -> None:
        for _ in range(50):
            with transaction.atomic():
                events.record(search, [events.error("x")])
        connection.close()

    rung = asyncio.run(listen([f"search.{search.pk}"], act))
    assert rung[-1] == {"type": "doorbell", "seq": 50}
    assert len(rung) < 25, "a few rings a second, not one an event"


def test_the_owners_list_rings_too(search: Search) -> None:
    rung = asyncio.run(listen([f"searches.{search.owner_id}"], lambda: events.ring(search.pk, search.owner_id, 7)))
    assert rung[-1] == {"type": "doorbell", "search": search.pk, "seq": 7}


def test_a_broker_that_is_away_loses_a_ring_and_no_row(search: Search, settings, caplog) -> None:
    layers = {"default": dict(settings.CHANNEL_LAYERS["default"])}
    layers["default"]["CONFIG"] = {"hosts": ["redis://127.0.0.1:1/0"]}
    settings.CHANNEL_LAYERS = layers
    channel_layers.backends.clear()
    bell = events.Doorbell()
    with transaction.atomic():
        events.record(search, [events.error("kept")])
    bell.ring((search.pk, search.owner_id), 1)
    bell.close()
    channel_layers.backends.clear()
    assert search.events.count() == 1
    assert "did not ring" in caplog.text
