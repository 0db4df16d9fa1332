"""Studies of MOTE's reductions: with and without, what they cost beforehand, and where they make no sense."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client

from engine.config.study import StudyConfig
from engine.errors import ConfigError
from searches.models import Study
from searches.services import ablations, sources, studies
from tests.searches.clients import API, client_of
from tests.searches.driving import CHAIN
from tests.searches.factories import make_user
from tests.searches.many_labels import RA_ARMS, RD_ARMS, SEED_ARMS, many_labels
from tests.searches.test_sources import upload
from tests.searches.test_studies import finished

pytestmark = pytest.mark.django_db
CELL = {"kind": "nasbench201", "channels": 4, "cells": 1}


def document(*compare: str, **changes: Any) -> dict[str, Any]:
    """The ablations of a tiny cell on digits."""
    return {"space": CELL, "dataset": {"kind": "digits"}, "compare": list(compare), "networks": 4, "seed": 1} | changes


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    return tmp_path


@pytest.mark.usefixtures("home")
def test_reduced_data_are_compared_with_full_data() -> None:
    owner = make_user()
    row = sources.add_dataset(owner, "twelve", upload(many_labels()))
    config = document("reduced_data", dataset={"kind": "upload", "id": row.pk})
    ahead = ablations.forecast(owner, StudyConfig.parse(config))
    assert [arm["arm"] for arm in ahead["arms"]] == RD_ARMS
    assert "the same as the full data" in ahead["notes"][1]
    study = finished(config, owner)
    setups = {}
    for search in study.searches.order_by("pk"):
        assert search.scored == 4
        setups[search.arm] = search.candidates.first().evaluation.setup["reduced data"]
    assert list(setups) == RD_ARMS
    assert " images: 10 of 12 labels" in setups["MOTE, RD"]
    assert " images: all " in setups["MOTE, RD-RS"]
    assert "none left out" in setups["MOTE, full data"]


def test_the_reduced_network_is_compared_with_the_full_one() -> None:
    owner = make_user()
    ahead = ablations.forecast(owner, StudyConfig.parse(document("reduced_network")))
    reduced, full = ahead["arms"]
    assert 0.1 < reduced["seconds"] < 10
    assert "a guess" in reduced["basis"]
    assert full["seconds"] > reduced["seconds"]
    assert full["basis"].startswith("forecast: ")
    study = finished(document("reduced_network"), owner)
    scores = {
        search.arm: list(search.candidates.values_list("score", flat=True)) for search in study.searches.order_by("pk")
    }
    assert list(scores) == RA_ARMS
    assert None not in scores["MOTE, full network"]
    assert scores["MOTE, full network"] != scores["MOTE, reduced network"]
    after = ablations.forecast(owner, StudyConfig.parse(document("reduced_network")))
    assert all("measured here" in arm["basis"] for arm in after["arms"])
    assert after["total_seconds"] == pytest.approx(4 * sum(arm["seconds"] for arm in after["arms"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"compare": ["reduced_data"]}, "10 labels: too few to leave any out"),
        ({"space": {"kind": "chain", "definition": CHAIN}}, "is the full one on these images"),
        ({"dataset": None}, "MOTE trains on images"),
        ({"compare": []}, "Name at least one estimate"),
        ({"compare": ["skip_connections", "seeds"]}, "ranked against a truth"),
        ({"compare": ["skip_connections", "seeds"], "space": {"kind": "nats_size"}}, "named after a skip connection"),
        (
            {"compare": [], "dataset": None, "arms": [{"estimator": {"kind": "mote"}}], "truth": {"kind": "mote"}},
            "dataset",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        studies.create(make_user(), StudyConfig.parse(document("reduced_network", **changes)))
    assert not Study.objects.exists()


def test_the_api_says_the_cost_and_refuses_at_the_field() -> None:
    client = client_of(make_user())
    found = client.post(f"{API}studies/forecast/", document("reduced_network"), format="json")
    assert [arm["arm"] for arm in found.json()["arms"]] == RA_ARMS
    assert not Study.objects.exists()
    refused = client.post(f"{API}studies/", document("reduced_data"), format="json")
    assert refused.status_code == 400, refused.content
    assert "compare" in str(refused.json()["errors"])


def test_the_command_line_adds_ablations(tmp_path: Path) -> None:
    make_user("ada")
    file = tmp_path / "study.yaml"
    out = io.StringIO()
    arms = [{"estimator": {"kind": "proxy", "name": "params"}}]
    file.write_text(yaml.safe_dump(document(arms=arms)))
    call_command("study", "forecast", "-c", str(file), "--compare", "reduced_network", owner="ada", stdout=out)
    assert "MOTE, full network: " in out.getvalue()
    call_command("study", "create", "-c", str(file), "--compare", "reduced_network", owner="ada", stdout=out)
    assert [search.arm for search in Study.objects.get().searches.order_by("pk")] == ["proxy params", *RA_ARMS]
    asked = ["--compare", "terms", "--compare", "seeds", "--compare", "reduced_network"]
    call_command("study", "create", "-c", str(file), *asked, owner="ada", stdout=out)
    arms_of_all = [search.arm for search in Study.objects.latest("pk").searches.order_by("pk")]
    assert arms_of_all == ["proxy params", "MOTE", *SEED_ARMS, *RA_ARMS]
    with pytest.raises(CommandError, match="too few to leave any out"):
        call_command("study", "forecast", "-c", str(file), "--compare", "reduced_data", owner="ada", stdout=out)


def test_the_form_takes_a_space_and_data_without_a_search(client: Client) -> None:
    owner = make_user()
    client.force_login(owner)
    sent = {"space": "kind:nasbench201", "data": "digits", "networks": 4, "seed": 1, "seeds": 1, "truth": "none"}
    ahead = client.post("/studies/", sent | {"compare": "reduced_network", "forecast": "1"})
    assert ahead.status_code == 200
    assert "a forecast, with" in ahead.content.decode()
    refused = client.post("/studies/", sent | {"compare": "reduced_data"})
    assert "too few to leave any out" in refused.context["form"].errors["compare"][0]
    nothing = client.post("/studies/", sent)
    assert "Name at least one estimate" in nothing.context["form"].errors["estimates"][0]
    tables = client.post("/studies/", sent | {"compare": "reduced_network", "data": "none"})
    assert "MOTE trains on images" in tables.context["form"].errors["compare"][0]
    assert not Study.objects.exists()
    ticked = {"estimates": "mote", "compare": ["skip_connections", "terms"], "truth": "training", "epochs": 1}
    shared = client.post("/studies/", sent | ticked | {"forecast": "1"})
    assert [arm["arm"] for arm in shared.context["forecast"]["arms"]] == ["MOTE", "truth"]
    started = client.post("/studies/", sent | {"compare": "reduced_network"})
    study = Study.objects.get(owner=owner)
    assert started["Location"] == f"/studies/{study.pk}/"
    assert study.config["space"]["kind"] == "nasbench201"
    own = study.searches.first().space.pk
    again = client.post(
        "/studies/", sent | {"space": f"own:{own}", "estimates": "proxy:params", "truth": "training", "epochs": 1}
    )
    assert again.status_code == 302, again.context["form"].errors
