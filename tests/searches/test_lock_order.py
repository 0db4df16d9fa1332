"""Order of row locks on a server: searches by number, then evaluations by number, so that no deadlock can occur."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet

from searches.models import Evaluation, Search, Study, Worker
from searches.services import advancing, control, dispatching, losses, recording, scoring, studies, sweeping
from searches.services.heartbeat import Heartbeat, heartbeat
from tests.searches.driving import expire, start, training_config, waiting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not connection.features.has_select_for_update, reason="SQLite locks the whole database"),
]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def hand_out(search: Search) -> None:
    with transaction.atomic():
        dispatching.score(search, recording.to_score(search))


def lease(search: Search) -> None:
    assert scoring._lease(waiting(search), scoring._free(waiting(search)))


def resume(search: Search) -> None:
    control.pause(search)
    control.resume(search)


def beat(search: Search) -> None:
    pulse = Heartbeat()
    with pulse.holding(list(Evaluation.objects.filter(status=Evaluation.Status.LEASED)), search):
        pulse.beat()


def die(search: Search) -> None:
    heartbeat().beat()
    Worker.objects.update(pid=2**31 - 1)  # a number of no process
    numbers = list(Evaluation.objects.values_list("pk", flat=True))
    losses.process_died(dispatching.SCORE, [numbers, search.pk], "signal 9 (SIGKILL)")


@pytest.mark.parametrize("act", [hand_out, lease, resume, control.delete, beat, die])
def test_who_waits_for_the_first_evaluation_holds_none_of_the_others(
    search: Search, act: Callable[[Search], None]
) -> None:
    numbers = sorted(waiting(search))
    if act in (beat, die):
        scoring._lease(numbers, scoring._free(numbers))
    for number in reversed(numbers):  # the first row is written last, so the server stores it after the others
        Evaluation.objects.filter(pk=number).update(arch="moved")
    check(act, search, Evaluation.objects.filter(pk=numbers[0]), numbers[1:])


def test_who_deletes_a_study_locks_all_of_its_searches_before_any_evaluation(search: Search) -> None:
    study = Study.objects.create(owner=search.owner, name="both", config={})
    other = start(training_config(), search.owner)
    advancing.advance(other.pk)
    Search.objects.update(study=study)
    check(studies.delete, study, Search.objects.filter(pk=other.pk), waiting(search))
    assert not Search.objects.exists()


def test_who_tells_of_a_lost_lease_holds_no_evaluation(search: Search) -> None:
    leased = scoring.lease(waiting(search)[0])
    assert leased is not None
    expire(leased)
    check(lambda _: sweeping.sweep(), None, Search.objects.filter(pk=search.pk), [leased.pk])
    assert search.events.filter(message__contains="was lost").exists()


def check(act: Callable[..., None], row: object, held: QuerySet[Any], free: list[int]) -> None:
    """Hold a row while another connection runs ``act``: it must wait, and hold no evaluation of ``free``."""

    def apart() -> None:
        try:
            act(row)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert len(held.select_for_update()) == 1
            done = pool.submit(apart)
            wait_until_blocked()
            assert len(Evaluation.objects.filter(pk__in=free).select_for_update(nowait=True)) == len(free)
        done.result(30)


def wait_until_blocked() -> None:
    deadline = monotonic() + 30
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(BLOCKED)
            if cursor.fetchone()[0]:
                return
            assert monotonic() < deadline, "nobody waits for the row"
            sleep(0.02)
