"""MOTE calibrated while a search runs: an event between rounds that every rebuilt copy meets at the same place."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine import mote
from engine.estimate import Estimate
from engine.mote import constants_for
from searches.models import Evaluation, Search
from searches.selectors.calibrations import constants
from searches.services import advancing, algorithm_state, calibrating, control, recording
from tests.searches.clients import API, client_of
from tests.searches.driving import CHAIN, CONV, outcomes, start, training_config, waiting

pytestmark = pytest.mark.django_db

LAYERS = [{"name": f"layer {i}", "stride": 1 + i % 2, "options": CONV} for i in range(5)]
SPACE = {"kind": "chain", "definition": {**CHAIN, "layers": LAYERS}}
"""243 networks of a space without published constants."""
LEAST = 28
"""Networks of the first calibration here; a hundred take longer and show no more."""
EVALUATIONS = 44


@pytest.fixture(autouse=True)
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (mote, calibrating):
        monkeypatch.setattr(module, "CALIBRATION_MINIMUM", LEAST)


def mote_search(evaluations: int = EVALUATIONS, **changes: Any) -> Search:
    given = {"space": SPACE, "estimator": {"kind": "mote"}, "budget": {"evaluations": evaluations}, "round_size": 8}
    return start(training_config(**given | changes))


def terms_of(choices: list[int]) -> tuple[float, float]:
    """Made-up terms whose order in the joint depends on the constants."""
    landscape = 6 + sum(math.sin(2.3 * (i + 1) * (c + 1)) for i, c in enumerate(choices))
    return landscape, math.exp(sum(math.cos(1.7 * (i + 1) * (c + 2)) for i, c in enumerate(choices)) / 2)


def train(search: Search, backwards: bool = False, stop_at: int = 1_000) -> Search:
    """Scores what waits with made-up terms, read with the constants a fresh estimator has; or the first so many."""
    for _ in range(300):
        advancing.advance(search.pk)
        search.refresh_from_db()
        work = waiting(search)
        if not search.is_active or search.scored >= stop_at:
            return search
        for pk in reversed(work) if backwards else work:
            Evaluation.objects.filter(pk=pk).update(status="leased", attempts=1)
            landscape, speed = terms_of(Evaluation.objects.get(pk=pk).choices)
            score = float(constants_for("chain").mote(landscape, speed))
            terms = {"landscape": landscape, "speed": speed, "mote": score, "time_seconds": 7.5, "train_seconds": 0.1}
            options = {"profile": "fast", "time_model": "deterministic"}
            recording.record(pk, 1, Estimate(score, terms, seconds=1.0), options)
    raise AssertionError("the search does not come to rest")


def test_scores_are_read_anew_and_buckets_filled_again() -> None:
    search = mote_search()
    search = train(search, stop_at=16)
    search.candidates.filter(number__in=[3, 5, 12]).update(pinned=True, note="mine")
    client = client_of(search.owner)
    shown = client.get(f"{API}searches/{search.pk}/candidates/?pinned=true").json()["results"]
    search = train(search)
    (calibration,) = search.calibrations.all()
    assert LEAST <= calibration.networks < LEAST + 8
    fitted = constants(calibration)
    order, rescored = [], []
    for row in search.candidates.select_related("evaluation").order_by("number"):
        assert row.score == float(fitted.mote(*terms_of(row.choices)))
        assert row.evaluation.score == float(constants_for("chain").mote(*terms_of(row.choices)))
        order.append(row.evaluation.score)
        rescored.append(row.score)
    assert sorted(range(EVALUATIONS), key=order.__getitem__) != sorted(range(EVALUATIONS), key=rescored.__getitem__)
    scores = dict(search.candidates.values_list("number", "score"))
    for bucket in search.buckets.all():
        assert [score for _, score in bucket.residents] == [scores[number] for number, _ in bucket.residents]
    assert search.best.score == max(scores.values())
    assert "MOTE calibrated on" in "".join(search.events.filter(kind="log").values_list("message", flat=True))
    after = client.get(f"{API}searches/{search.pk}/candidates/?pinned=true").json()["results"]
    assert [(row["number"], row["note"]) for row in after] == [(row["number"], row["note"]) for row in shown]
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert body["calibrations"][0]["networks"] == calibration.networks


def test_a_rebuilt_search_is_the_same_search(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(algorithm_state, "KEPT_COPIES", 0)
        rebuilt = train(mote_search(), backwards=True)
    with monkeypatch.context() as context:
        context.setattr(algorithm_state, "KEPT_COPIES", 0)
        context.setattr(algorithm_state, "FIRST_SNAPSHOT", 10)
        snapped = train(mote_search())
    straight = train(mote_search())
    assert straight.calibrations.count() == 1
    assert outcomes(rebuilt) == outcomes(snapped) == outcomes(straight)


def test_a_calibration_inside_a_round_that_is_reopened_is_taken_back() -> None:
    """30 evaluations end in the middle of a round; 13 more make the search that had 43 from the start."""
    cut = train(mote_search(30))
    before = cut.calibrations.get()
    control.extend(cut, evaluations=13)
    cut = train(cut)
    whole = train(mote_search(43))
    assert cut.calibrations.get().networks == whole.calibrations.get().networks > before.networks == 30
    assert outcomes(cut) == outcomes(whole)


def test_a_round_asks_for_its_constants_once() -> None:
    train(mote_search())
    again = mote_search()
    with CaptureQueriesContext(connection) as asked:
        train(again)
    assert again.from_cache == EVALUATIONS
    assert sum('FROM "searches_calibration"' in query["sql"] for query in asked) < EVALUATIONS


def test_a_late_score_is_read_with_the_constants_of_its_time() -> None:
    search = mote_search()
    advancing.advance(search.pk)
    first = waiting(search)[0]
    Evaluation.objects.filter(pk=first).update(status="leased", attempts=1)
    recording.record(first, 1, Estimate(None, error="no luck"))
    search = train(search)
    assert search.failed == 1
    control.retry_failed(search)
    search = train(search)
    late = search.candidates.get(number=0)
    assert late.revived_round is not None
    assert late.score == float(constants(search.calibrations.last()).mote(*terms_of(late.choices)))
    algorithm_state.forget(search.pk)
    control.extend(search, evaluations=8)
    assert train(search).status == Search.Status.FINISHED


@pytest.mark.parametrize(
    "changes",
    [{"algorithm": {"kind": "ppo"}}, {"space": {"kind": "nasbench201"}}],
    ids=["a policy learned the old scale", "published constants"],
)
def test_others_keep_their_constants(changes: dict[str, Any]) -> None:
    search = train(mote_search(32, **changes))
    assert (search.scored, search.calibrations.count()) == (32, 0)
