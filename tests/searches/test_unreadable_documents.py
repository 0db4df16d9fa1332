"""A document that this version cannot read closes its own search only, and every answer says so in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from engine.config.search import SearchConfig
from searches.models import Candidate, Search, Study, Training
from searches.models.documents import readable
from searches.selectors import comparison, noise, standing, studies, trainings, trust
from searches.services import control
from searches.services.errors import ActionRefused
from tests.searches.clients import API, client_of
from tests.searches.factories import CONFIG, DATA, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
IMAGES = {**DATA, "content_hash": "same"}


def spoil(search: Search, **changes: Any) -> Search:
    """Store a document as a newer version might write it: with an estimate that this one does not have."""
    Search.objects.filter(pk=search.pk).update(config=search.config | {"estimator": {"kind": "zen"}} | changes)
    return Search.objects.get(pk=search.pk)


@pytest.fixture
def healthy() -> Search:
    search = make_search(make_user(), status=Search.Status.FINISHED, scored=1, data_info=IMAGES)
    search.best = make_candidates(search, [{"score": 1.0, "madds_m": 10.0}])[0]
    search.save()
    return search


@pytest.fixture
def broken(healthy: Search) -> Search:
    """A random search of the same space with enough networks to be ranked among."""
    config = {**CONFIG, "algorithm": {"kind": "random"}, "objective": {"cost_metric": "params_m"}, "seed": 7}
    fields = {"space": healthy.space, "config": config, "scored": standing.LEAST, "data_info": IMAGES}
    search = make_search(healthy.owner, status=Search.Status.FINISHED, **fields)
    make_candidates(search, [{"score": float(number)} for number in range(standing.LEAST)])
    return spoil(search)


def test_lists_show_what_the_document_says(healthy: Search, broken: Search) -> None:
    answer = client_of(healthy.owner).get(f"{API}searches/")
    assert answer.status_code == 200
    row, other = answer.json()["results"]
    assert (row["id"], row["name"], row["status"], other["id"]) == (broken.pk, "digits", "finished", healthy.pk)
    assert (row["algorithm"], row["estimator"], row["cost_metric"]) == ("random", "zen", "params_m")
    assert (row["seed"], row["round_size"]) == (7, broken.outline.round_size)
    assert row["actions"] == ["delete"]
    assert other["algorithm"] == "layernas"


@pytest.mark.parametrize("document", [[], {"algorithm": 3, "seed": "x"}, {"algorithm": {"kind": []}, "seed": True}])
def test_what_the_document_does_not_say_has_the_fields_type(broken: Search, document: Any) -> None:
    Search.objects.filter(pk=broken.pk).update(config=document)
    row = client_of(broken.owner).get(f"{API}searches/").json()["results"][0]
    assert (row["algorithm"], row["estimator"], row["cost_metric"]) == ("", "", "")
    assert (row["seed"], row["round_size"]) == (0, SearchConfig.model_fields["round_size"].default)


def test_the_search_and_its_candidates_answer_in_words(broken: Search) -> None:
    client = client_of(broken.owner)
    candidate = broken.candidates.earliest("number")
    for path in (f"searches/{broken.pk}/", f"candidates/{candidate.pk}/"):
        answer = client.get(API + path)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("This version of nasweb cannot read the configuration of search")
    refused = client.post(f"{API}searches/{broken.pk}/clone/")
    assert refused.status_code == 409
    with pytest.raises(ActionRefused, match="cannot read the configuration"):
        control.extend(broken, evaluations=5)


def test_pages_show_the_sentence(client: Client, broken: Search) -> None:
    client.force_login(broken.owner)
    candidate = broken.candidates.earliest("number")
    for path in (f"/searches/{broken.pk}/", f"/candidates/{candidate.pk}/", f"/searches/new/?clone={broken.pk}"):
        answer = client.get(path)
        assert answer.status_code == 409, path
        assert f"cannot read the configuration of search {broken.pk}." in answer.content.decode()


def test_others_do_not_count_it(healthy: Search, broken: Search) -> None:
    assert comparison.repeats(healthy) == [healthy]
    assert noise.of(healthy, "score") is None
    client = client_of(healthy.owner)
    assert client.get(f"{API}candidates/{healthy.candidates.get().pk}/").status_code == 200
    study = Study.objects.create(owner=healthy.owner, name="newer", config={})
    Search.objects.filter(pk=broken.pk).update(study=study, arm="zen")
    assert trust.card(healthy)["sources"] == []
    assert studies.results(study)["estimates"] == []


def test_a_training_is_skipped_too(healthy: Search) -> None:
    status = Training.Status.FINISHED
    training = Training.objects.create(
        candidate=Candidate.objects.get(search=healthy),
        config={"recipe": "zen", "epochs": 3},
        status=status,
        epochs=1,
        data_info={"content_hash": "x", "label": "Digits"},
    )
    assert not readable(training)
    assert trainings.alike(healthy) == []
    answer = client_of(healthy.owner).get(f"{API}trainings/")
    assert answer.status_code == 200, answer.json()
    assert [(row["recipe"], row["described"]) for row in answer.json()["results"]] == [("zen", "")]


def test_it_can_be_deleted(broken: Search) -> None:
    assert client_of(broken.owner).delete(f"{API}searches/{broken.pk}/").status_code == 204
