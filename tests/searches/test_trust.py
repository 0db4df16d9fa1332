"""The trust card: one recipe of full trainings at a time, and words for correlations."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from scipy.stats import kendalltau

from engine.config.training import TrainingConfig
from searches.models import Candidate, Search, Training
from searches.selectors import spaces, standing, trainings, trust
from tests.searches.clients import API, client_of
from tests.searches.factories import CONFIG, DATA, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
OWN = DATA | {"content_hash": "digits"}


@pytest.fixture
def search() -> Search:
    """Ten scored networks, each better than the one before."""
    search = make_search(make_user(), data_info=OWN)
    make_candidates(search, [{"score": float(number)} for number in range(10)])
    return search


def train(search: Search, numbers: Sequence[int], accuracies: Sequence[float], **changes: Any) -> list[Training]:
    """Add finished full trainings of these candidates; ``data`` are other images than the search's own."""
    data = changes.pop("data", OWN)
    config = TrainingConfig(**changes)
    rows = []
    for number, accuracy in zip(numbers, accuracies, strict=True):
        candidate = Candidate.objects.get(search=search, number=number)
        rows.append(
            Training.objects.create(
                candidate=candidate,
                config=config.model_dump(mode="json"),
                config_hash=sha256(f"{number} {config} {data['content_hash']}".encode()).hexdigest(),
                data_info=data,
                epochs=config.parts.epochs,
                augmentation=config.augmentation,
                status=Training.Status.FINISHED,
                valid_accuracy=accuracy,
            )
        )
    return rows


def test_the_card_ranks_the_networks_of_one_recipe(search: Search) -> None:
    train(search, range(6), [90, 91, 92, 93, 94, 95], epochs=40)
    train(search, range(6, 10), [10, 9, 8, 7], epochs=2)
    train(search, range(10), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], data=OWN | {"content_hash": "others", "label": "Others"})
    [source] = trust.card(search)["sources"]
    assert (source["source"], source["count"], source["tau"]) == ("trainings", 6, pytest.approx(1.0))
    told = "trained in full (Quick recipe, lengthened: 40 instead of 20 epochs, on Digits)"
    assert told in source["description"]
    card = client_of(search.owner).get(f"{API}searches/{search.pk}/trust/").json()
    assert card["sentence"].startswith("Scores agree strongly with the validation accuracy of this search's candidates")
    shown = [(group["data"], len(group["trainings"])) for group in trainings.groups(search)]
    assert shown == [("Digits", 6), ("Digits", 4), ("Others", 10)], "the page begins with what the card ranks"


def test_trained_layers_rank_the_networks_of_the_trainings(search: Search) -> None:
    accuracies = [90, 95, 91, 97, 92, 94, 93, 96, 89, 88]
    train(search, range(10), accuracies, epochs=40)
    [source] = trust.card(search)["sources"]
    space = spaces.of_search(search)
    archs = search.candidates.order_by("number").values_list("arch", flat=True)
    nodes = [space.blueprint(space.from_string(arch)).nodes for arch in archs]
    layers = [sum(node.op in ("conv2d", "linear") for node in network) for network in nodes]
    assert len(set(layers)) > 1
    found = source["baselines"][2]
    assert found["label"] == "Trained layers"
    assert found["tau"]["value"] == pytest.approx(kendalltau(layers, accuracies).statistic)
    difference = source["tau"] - found["tau"]["value"]
    assert found["difference"]["value"] == pytest.approx(difference)
    assert "trained layers" in source["sentence"]


def test_of_equally_many_the_longest_then_the_latest_are_ranked(search: Search) -> None:
    train(search, range(5), [90, 91, 92, 93, 94], epochs=400)
    train(search, range(5, 10), [50, 51, 52, 53, 54], epochs=5)
    assert "400 instead of 20" in trust.card(search)["sources"][0]["description"]
    train(search, range(5), [94, 93, 92, 91, 90], epochs=400, seed=1)
    [source] = trust.card(search)["sources"]
    assert (source["tau"], "400 instead of 20 epochs, seed 1" in source["description"]) == (pytest.approx(-1.0), True)
    assert trust.card(search)["sentence"].startswith("Scores order networks the other way round than the validation")


def test_too_few_of_every_recipe_tell_nothing_yet(search: Search) -> None:
    train(search, range(4), [90, 91, 92, 93], epochs=40)
    train(search, range(4, 8), [50, 51, 52, 53], epochs=5)
    card = trust.card(search)
    assert card["sources"] == []
    assert "train 5 or more in full under one recipe" in card["sentence"]


@pytest.mark.parametrize(
    ("low", "tau", "high", "words"),
    [
        (-1.0, -1.0, -1.0, "order networks the other way round than"),
        (-0.7, -0.4, -0.2, "order networks the other way round than"),
        (-0.7, -0.4, 0.1, "say little about"),
        (0.01, 0.05, 0.09, "say little about"),
        (-0.2, 0.6, 1.0, "say little about"),
        (0.1, 0.3, 0.5, "agree weakly with"),
        (0.3, 0.45, 0.6, "agree moderately with"),
        (0.6, 0.7, 0.8, "agree strongly with"),
    ],
)
def test_words_for_a_correlation(low: float, tau: float, high: float, words: str) -> None:
    assert trust.agreement(low, tau, high) == words


def test_images_matter_only_to_estimates_that_need_them() -> None:
    """A study's arm that looks up scores has no data, but a search with data may be compared with it."""
    table = {**CONFIG, "estimator": {"kind": "benchmark"}}
    owner = make_user()
    with_data = make_search(owner, config=table, data_info=OWN)
    without = make_search(owner, config=table, data_info={})
    assert standing.scored_alike(with_data, without)
    trained = make_search(owner, data_info=OWN)
    assert standing.scored_alike(trained, make_search(owner, data_info=OWN))
    assert not standing.scored_alike(trained, make_search(owner, data_info={}))


@pytest.mark.parametrize(
    ("scores", "truths", "alike"),
    [
        (range(6), [90.5] * 6, "all 6 networks have the same truth, 90.5"),
        ([0.25] * 6, range(6), "all 6 networks have the same score, 0.25"),
        ([0.25] * 6, [90.5] * 6, "all 6 networks have the same score, 0.25"),
    ],
)
def test_a_constant_truth_or_score_is_named(scores: Sequence[float], truths: Sequence[float], alike: str) -> None:
    search = make_search(make_user(), data_info=OWN)
    rows = [{"score": float(score), "truth": float(truth)} for score, truth in zip(scores, truths, strict=True)]
    make_candidates(search, rows)
    card = client_of(search.owner).get(f"{API}searches/{search.pk}/trust/").json()
    assert card["sources"] == []
    assert card["sentence"] == (
        f"Scores cannot be compared with the table's truth, among this search's own candidates: {alike}. "
        "To learn more, start a study, or train 5 or more in full under one recipe."
    )


def test_trainings_that_reach_the_same_accuracy_are_named_until_another_source_ranks(search: Search) -> None:
    train(search, range(5), [91] * 5, epochs=40)
    card = trust.card(search)
    assert (card["sources"], "all 5 networks have the same truth, 91" in card["sentence"]) == ([], True)
    other = make_search(search.owner, data_info=OWN)
    make_candidates(other, [{"score": float(number), "truth": float(number)} for number in range(10)])
    train(other, range(5), [91] * 5, epochs=40)
    card = trust.card(other)
    assert [source["source"] for source in card["sources"]] == ["table"]
    assert card["sentence"].startswith("Scores agree strongly with the table's truth")
