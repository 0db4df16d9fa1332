"""More budget for a search with finalists: the result equals that of the larger budget from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from engine.config.search import SearchConfig
from engine.estimate import Estimate
from searches.models import Evaluation, Search
from searches.services import advancing, algorithm_state, control, extending, recording
from searches.services.resolving import resolve
from tests.searches.clients import API, client_of
from tests.searches.driving import drive, outcomes, start, waiting, write_table
from tests.searches.test_finalists import GUIDED, made_up, trained_finals, with_finals

pytestmark = pytest.mark.django_db


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path)


def test_an_extension_equals_the_larger_budget_with_one_decision() -> None:
    search = made_up(start(trained_finals(budget={"evaluations": 12})), fails=(10,))
    assert [c.stage for c in search.candidates.all()] == [0] * 9 + [1] * 3
    assert search.failed == 1
    decided = list(search.candidates.networks().exclude(final_score=None))
    control.extend(search, evaluations=20)
    search.refresh_from_db()
    counts = (search.asked, search.finals, search.failed, search.rounds)
    assert counts == (9, 0, 0, 2), "the third round, of one network, is open again"
    assert (search.charged_seconds, search.from_cache) == (18.0, 0)
    assert not search.candidates.exclude(final_score=None).exists()
    assert "3 finalists are taken back" in search.events.filter(kind="log").last().message
    made_up(search, backwards=True)
    whole = made_up(start(trained_finals(budget={"evaluations": 32})))
    assert outcomes(search) == outcomes(whole)
    assert [c.stage for c in search.candidates.all()] == [0] * 29 + [1] * 3
    assert (search.best.number, search.best.final_score) == (whole.best.number, whole.best.final_score)
    numbers = set(search.candidates.finals().values_list("parent_number", flat=True))
    assert set(search.candidates.networks().exclude(final_score=None).values_list("number", flat=True)) == numbers
    assert len(decided) == 2
    algorithm_state.forget(search.pk)
    replayed = algorithm_state.load(search, resolve(search.owner, SearchConfig.parse(search.config))).algorithm
    assert replayed.asked == search.asked


def test_an_extension_among_the_finals_takes_them_back(table: Path) -> None:
    """Final evaluations that wait or are being scored, and final scores that are looked up."""
    search = start(trained_finals(budget={"evaluations": 12}))
    while not search.candidates.finals().exists():
        for pk in waiting(search):
            Evaluation.objects.filter(pk=pk).update(status="leased", attempts=1)
            recording.record(pk, 1, Estimate(float(Evaluation.objects.get(pk=pk).choices[0]), seconds=2.0))
        advancing.advance(search.pk)
    leased, *others = waiting(search)
    Evaluation.objects.filter(pk=leased).update(status="leased", attempts=1)
    control.extend(search, evaluations=4)
    search.refresh_from_db()
    assert search.asked == search.candidates.count() == 9
    assert not Evaluation.objects.filter(pk__in=others).exists()
    assert recording.record(leased, 1, Estimate(1.0, seconds=2.0))
    made_up(search)
    assert [c.stage for c in search.candidates.all()] == [0] * 13 + [1] * 3
    small = drive(start(with_finals(table, budget={"evaluations": None, "seconds": 300.0})))
    control.extend(small, seconds=400.0)
    whole = drive(start(with_finals(table, budget={"evaluations": None, "seconds": 700.0})))
    assert outcomes(drive(small)) == outcomes(whole)


def test_finals_that_an_older_version_left_in_the_middle_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The older version named finalists, searched with more budget, and then named the new best networks."""
    search = made_up(start(trained_finals(budget={"evaluations": 12})))
    with monkeypatch.context() as older:
        older.setattr(extending, "_take_back_finals", lambda search: 0)
        control.extend(search, evaluations=8)
    made_up(search)
    numbers = [c.number for c in search.candidates.finals()]
    assert numbers[:3] == [9, 10, 11]
    assert numbers[3:]
    assert numbers[-1] == search.asked - 1
    old = outcomes(search)
    client = client_of(search.owner)
    pages = Client()
    pages.force_login(search.owner)
    for more in (0, 8):
        if more:
            control.extend(search, evaluations=more)
            search.refresh_from_db()
            assert outcomes(search) == old[: search.asked]
            assert not [c for c in search.candidates.finals() if c.number > 11]
            made_up(search, backwards=True)
        assert (search.status, search.asked) == (Search.Status.FINISHED, search.scored + search.finals)
        assert search.best.final_score == max(search.candidates.finals().values_list("score", flat=True))
        algorithm_state.forget(search.pk)
        replayed = algorithm_state.load(search, resolve(search.owner, SearchConfig.parse(search.config))).algorithm
        assert (replayed.asked, len(replayed.pending)) == (search.asked, 0)
        assert pages.get(f"/searches/{search.pk}/").status_code == 200
        for part in ("", "buckets/", "buckets/?upto=14", "pareto/", "plot/", "history/"):
            assert client.get(f"{API}searches/{search.pk}/{part}").status_code == 200, part


def test_a_guided_search_whose_finalists_are_all_named_refuses_more_in_words() -> None:
    config = trained_finals(algorithm={**GUIDED, "pool": 4}, budget={"evaluations": 9}, round_size=4)
    search = made_up(start(config))
    before = outcomes(search)
    assert search.finals == 3
    reply = client_of(search.owner).post(f"{API}searches/{search.pk}/extend/", {"evaluations": 21}, format="json")
    assert reply.status_code == 409
    assert reply.json()["detail"].startswith("Evaluations cannot be extended: all 3 finalists are named")
    search.refresh_from_db()
    assert (search.status, search.budget_evaluations, outcomes(search)) == (Search.Status.FINISHED, 9, before)
