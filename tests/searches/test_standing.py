"""The rank of a score among random networks: which searches count, under which constants, and its words."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config.study import TRUTH
from searches.models import Calibration, Candidate, Search, Study
from searches.selectors import standing, studies, trust
from tests.searches.clients import API, client_of
from tests.searches.factories import CONFIG, make_candidates, make_search, make_space, make_user

pytestmark = pytest.mark.django_db
PROXY = {**CONFIG, "estimator": {"kind": "proxy", "name": "synflow"}}


def scored(search: Search, scores: list[float]) -> Search:
    """Add candidates with these scores; the last one becomes the best."""
    rows = make_candidates(search, [{"score": score} for score in scores])
    for row, score in zip(rows, scores, strict=True):
        row.evaluation.score = score
        row.evaluation.save()
    search.scored = len(scores)
    search.best = rows[-1]
    search.event_seq += 1
    search.save()
    return search


@pytest.fixture
def search() -> Search:
    """A search within limits, whose best network has the score 94."""
    return scored(make_search(make_user(), config=PROXY), [3.0, 94.0])


def random(search: Search, scores: list[float], **changes: Any) -> Search:
    """Add a random search over the same space with the same estimate; ``changes`` are sections of its configuration."""
    fields = {name: changes.pop(name) for name in ("study", "arm", "space", "owner", "data_info") if name in changes}
    config = {**PROXY, "algorithm": {"kind": "random"}, "objective": {"cost_metric": "madds_m"}, **changes}
    return scored(
        make_search(fields.pop("owner", search.owner), config=config, **{"space": search.space} | fields), scores
    )


def best(search: Search) -> Candidate:
    assert search.best is not None
    return search.best


def test_a_score_is_ranked_among_the_networks_of_a_random_search(search: Search) -> None:
    assert trust.card(search)["random"] is None
    other = random(search, [float(score) for score in range(200)])
    found = standing.among_random(best(search))
    expected = {"number": 1, "share": 94 / 200, "networks": 200, "search": other.pk}
    assert found == {**expected, "words": "above 47 % of 200 random networks"}
    client = client_of(search.owner)
    assert client.get(f"{API}searches/{search.pk}/trust/").json()["random"] == found
    assert client.get(f"{API}candidates/{best(search).pk}/").json()["random_rank"] == found
    assert standing.among_random(best(other)) is None, "a random search is not ranked among its own networks"
    other.epoch += 1
    other.save()
    Candidate.objects.filter(search=other, number__lt=100).delete()
    again = standing.among_random(best(search))
    assert again is not None
    assert (again["networks"], again["share"]) == (100, 0), "what changed is read again"


def test_the_largest_comparable_search_counts(search: Search) -> None:
    scores = [float(score) for score in range(standing.LEAST)]
    random(search, scores[1:])
    assert standing.among_random(best(search)) is None, "too few"
    random(search, scores, objective={"cost_metric": "madds_m", "hi": 20.0})
    random(search, scores, objective={"constraints": [{"metric": "params_m", "lo": 0.1}]})
    random(search, scores, estimator={"kind": "proxy", "name": "naswot"})
    random(search, scores, algorithm={"kind": "local_search"})
    random(search, scores, data_info={"content_hash": "others", "channels": 1, "height": 8, "width": 8})
    random(search, scores, space=make_space(search.owner))
    random(search, scores, owner=make_user())
    study = Study.objects.create(owner=search.owner, name="own", config={})
    random(search, scores, study=study, arm=TRUTH)
    assert standing.among_random(best(search)) is None
    arm = random(search, scores, study=study, arm="synflow")
    found = standing.among_random(best(search))
    assert found is not None
    assert (found["search"], found["words"]) == (arm.pk, f"above all {standing.LEAST} random networks")
    larger = random(search, [*scores, 95.0])
    found = standing.among_random(best(search))
    assert found is not None
    assert (found["search"], found["networks"]) == (larger.pk, standing.LEAST + 1)


def test_random_networks_are_scored_with_the_constants_of_the_search() -> None:
    """After a calibration the search's scores have another scale; the random networks' terms are read on it, too."""
    search = scored(make_search(make_user(), config=CONFIG), [1.0, 2.0])
    terms = [{"landscape": 1.0 + 0.1 * number, "speed": 1.0 + 0.1 * number} for number in range(standing.LEAST)]
    other = random(search, [0.0] * len(terms), estimator=CONFIG["estimator"])
    for row, found in zip(other.candidates.order_by("number"), terms, strict=True):
        row.evaluation.terms = found
        row.evaluation.save()
    before = standing.among_random(best(search))
    assert before is not None
    assert before["share"] == 1
    numbers = {"lam": 1.0, "std": 1.0}
    Calibration.objects.create(search=search, round=0, networks=100, constants={"landscape": numbers, "speed": numbers})
    after = standing.among_random(best(search))
    assert after is not None
    assert 0 < after["share"] < 1


@pytest.mark.parametrize("calibrated", [False, True])
def test_only_the_first_networks_are_read(monkeypatch: pytest.MonkeyPatch, calibrated: bool) -> None:
    """The count in the answer says how many; no row is loaded for each network."""
    monkeypatch.setattr(standing, "MOST", 30)
    search = scored(make_search(make_user(), config=CONFIG), [1.0, 50.0])
    other = random(search, [float(number) for number in range(60)], estimator=CONFIG["estimator"])
    for row in other.candidates.select_related("evaluation"):
        row.evaluation.terms = {"landscape": 1.0 + row.number, "speed": 1.0 + row.number}
        row.evaluation.save()
    if calibrated:
        numbers = {"landscape": {"lam": 1.0, "std": 1.0}, "speed": {"lam": 1.0, "std": 1.0}}
        Calibration.objects.create(search=search, round=0, networks=100, constants=numbers)
    found = standing.among_random(best(search))
    assert found is not None
    assert (found["networks"], found["share"]) == (30, 25 / 30 if calibrated else 1.0)


def test_a_running_random_search_is_read_again_only_when_it_has_grown(
    monkeypatch: pytest.MonkeyPatch, search: Search
) -> None:
    monkeypatch.setattr(studies, "EXACT", 10)
    other = random(search, [float(number) for number in range(200)])
    standing.among_random(best(search))
    read = standing._scores.cache_info().misses
    for _ in range(5):
        other.event_seq += 1
        other.save()
        assert standing.among_random(best(search)) is not None
    assert standing._scores.cache_info().misses == read
    other.scored += 20
    other.save()
    standing.among_random(best(search))
    assert standing._scores.cache_info().misses == read + 1


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.94, "above 94 % of 200"), (0.999, "above 99 % of 200"), (1.0, "above all 200"), (0.0, "above 0 % of 200")],
)
def test_ranks_in_words(share: float, words: str) -> None:
    assert standing.words(share, 200) == f"{words} random networks"
