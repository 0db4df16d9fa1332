"""MOTE and MOTE+ calibrated during a search: an event between rounds, at the same place in every rebuilt copy."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine import calibration
from engine.calibration import JOINTS
from engine.estimate import Estimate
from searches.models import Evaluation, Search
from searches.selectors.calibrations import constants
from searches.services import advancing, algorithm_state, control, export_jobs, recording
from tests.searches.clients import API, client_of
from tests.searches.driving import CHAIN, CONV, drive, outcomes, start, training_config, waiting

pytestmark = pytest.mark.django_db

LAYERS = [{"name": f"layer {i}", "stride": 1 + i % 2, "options": CONV} for i in range(5)]
SPACE = {"kind": "chain", "definition": {**CHAIN, "layers": LAYERS}}
"""A space of 243 networks without published constants."""
LEAST = 28
"""Number of networks at the first calibration in these tests; a hundred take longer and show no more."""
EVALUATIONS = 44


KINDS = ("mote", "mote_plus")


@pytest.fixture(autouse=True)
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MINIMUM", LEAST)


def scored_search(kind: str = "mote", evaluations: int = EVALUATIONS, **changes: Any) -> Search:
    given = {"space": SPACE, "estimator": {"kind": kind}, "budget": {"evaluations": evaluations}, "round_size": 8}
    return start(training_config(**given | changes))


def terms_of(kind: str, choices: list[int]) -> dict[str, float]:
    """Return made-up terms whose order in the joint score depends on the constants."""
    landscape = 6 + sum(math.sin(2.3 * (i + 1) * (c + 1)) for i, c in enumerate(choices))
    speed = math.exp(sum(math.cos(1.7 * (i + 1) * (c + 2)) for i, c in enumerate(choices)) / 2)
    if kind == "mote":
        return {"landscape": landscape, "speed": speed, "time_seconds": 7.5, "train_seconds": 0.1}
    return {"learning": math.log(landscape), "distinctness": 3 * math.log(speed), "richness": landscape + speed}


def begun(kind: str, choices: list[int]) -> float:
    """Return the score of a new estimator."""
    return JOINTS[kind].begins("chain").read(terms_of(kind, choices))


def train(search: Search, backwards: bool = False, stop_at: int = 1_000) -> Search:
    """Score waiting networks with made-up terms and the constants of a new estimator, up to ``stop_at`` of them."""
    kind = search.config["estimator"]["kind"]
    for _ in range(300):
        advancing.advance(search.pk)
        search.refresh_from_db()
        work = waiting(search)
        if not search.is_active or search.scored >= stop_at:
            return search
        for pk in reversed(work) if backwards else work:
            Evaluation.objects.filter(pk=pk).update(status="leased", attempts=1)
            choices = Evaluation.objects.get(pk=pk).choices
            score = begun(kind, choices)
            options = {"profile": "fast", "time_model": "deterministic"}
            estimate = Estimate(score, {**terms_of(kind, choices), kind: score}, seconds=1.0)
            recording.record(pk, 1, estimate, options)
    raise AssertionError("the search does not come to rest")


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_read_anew_and_buckets_filled_again(kind: str) -> None:
    search = scored_search(kind)
    search = train(search, stop_at=16)
    search.candidates.filter(number__in=[3, 5, 12]).update(pinned=True, note="mine")
    client = client_of(search.owner)
    shown = client.get(f"{API}searches/{search.pk}/candidates/?pinned=true").json()["results"]
    search = train(search)
    (row_of_it,) = search.calibrations.all()
    assert LEAST <= row_of_it.networks < LEAST + 8
    assert set(row_of_it.constants) == set(JOINTS[kind].terms)
    fitted = constants(search, row_of_it)
    order = []
    rescored = []
    for row in search.candidates.select_related("evaluation").order_by("number"):
        assert row.score == fitted.read(terms_of(kind, row.choices))
        assert row.evaluation.score == begun(kind, row.choices)
        order.append(row.evaluation.score)
        rescored.append(row.score)
    assert sorted(range(EVALUATIONS), key=order.__getitem__) != sorted(range(EVALUATIONS), key=rescored.__getitem__)
    scores = dict(search.candidates.values_list("number", "score"))
    for bucket in search.buckets.all():
        assert [score for _, score in bucket.residents] == [scores[number] for number, _ in bucket.residents]
    assert search.best.score == max(scores.values())
    log = "".join(search.events.filter(kind="log").values_list("message", flat=True))
    assert f"{JOINTS[kind].label} calibrated on {row_of_it.networks} networks" in log
    after = client.get(f"{API}searches/{search.pk}/candidates/?pinned=true").json()["results"]
    assert [(row["number"], row["note"]) for row in after] == [(row["number"], row["note"]) for row in shown]
    body = client.get(f"{API}searches/{search.pk}/").json()
    assert body["calibrations"][0]["networks"] == row_of_it.networks
    assert body["calibrations"][0]["constants"] == row_of_it.constants
    best = client.get(f"{API}candidates/{search.best.pk}/").json()
    assert best["score"] == best["terms"][kind] == search.best.score != search.best.evaluation.score
    assert best["setup"]["constants"] == fitted.source
    assert export_jobs.network_job(search.best, "json")["network"]["scores"]["terms"][kind] == search.best.score


def test_a_rebuilt_search_is_the_same_search(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(algorithm_state, "KEPT_COPIES", 0)
        rebuilt = train(scored_search("mote_plus"), backwards=True)
    with monkeypatch.context() as context:
        context.setattr(algorithm_state, "KEPT_COPIES", 0)
        context.setattr(algorithm_state, "FIRST_SNAPSHOT", 10)
        snapped = train(scored_search("mote_plus"))
    straight = train(scored_search("mote_plus"))
    assert straight.calibrations.count() == 1
    assert outcomes(rebuilt) == outcomes(snapped) == outcomes(straight)


def test_an_estimate_that_trains_nothing_is_calibrated_on_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real scores: the search's scores follow from the recorded terms; no network is scored again."""
    monkeypatch.setattr(calibration, "MINIMUM", 6)
    estimator = {"kind": "mote_plus", "profile": "untrained"}
    search = drive(scored_search(evaluations=16, estimator=estimator, round_size=4))
    first, second = search.calibrations.all()
    assert (first.networks, second.networks) == (7, 15)
    assert set(second.constants) == {"distinctness", "richness"}
    fitted = constants(search, second)
    for row in search.candidates.select_related("evaluation"):
        assert row.score == fitted.read(row.evaluation.terms) != row.evaluation.score
        assert row.evaluation.attempts == 1


def test_a_calibration_inside_a_round_that_is_reopened_is_taken_back() -> None:
    """30 evaluations end in the middle of a round; 13 more give the same search as 43 from the start."""
    cut = train(scored_search(evaluations=30))
    before = cut.calibrations.get()
    control.extend(cut, evaluations=13)
    cut = train(cut)
    whole = train(scored_search(evaluations=43))
    assert cut.calibrations.get().networks == whole.calibrations.get().networks > before.networks == 30
    assert outcomes(cut) == outcomes(whole)


def test_a_round_asks_for_its_constants_once() -> None:
    train(scored_search())
    again = scored_search()
    with CaptureQueriesContext(connection) as asked:
        train(again)
    assert again.from_cache == EVALUATIONS
    assert sum('FROM "searches_calibration"' in query["sql"] for query in asked) < EVALUATIONS


def test_a_late_score_is_read_with_the_constants_of_its_time() -> None:
    search = scored_search()
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
    assert late.score == constants(search, search.calibrations.last()).read(terms_of("mote", late.choices))
    algorithm_state.forget(search.pk)
    control.extend(search, evaluations=8)
    assert train(search).status == Search.Status.FINISHED


@pytest.mark.parametrize(
    "changes",
    [{"algorithm": {"kind": "ppo"}}, {"space": {"kind": "nasbench201"}}, {"space": {"kind": "darts"}}],
    ids=["a policy learned the old scale", "published constants", "those of the benchmark's other name"],
)
def test_others_keep_their_constants(changes: dict[str, Any]) -> None:
    search = train(scored_search(evaluations=32, **changes))
    assert (search.scored, search.calibrations.count()) == (32, 0)
