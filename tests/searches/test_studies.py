"""Studies: arms that score the same networks, rank correlation with a truth, errors at fields; the trust card."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from django.core.management import call_command
from scipy.stats import kendalltau

from engine.config.search import SearchConfig
from engine.config.study import StudyConfig
from engine.errors import ConfigError
from engine.space import SearchSpace
from searches.models import Candidate, Search, Study
from searches.selectors import budget, noise, plot, spaces, trust
from searches.selectors import studies as selector
from searches.services import studies
from tests.searches.clients import API, assert_private, client_of
from tests.searches.driving import CHAIN, drive, start, training_config, write_table
from tests.searches.factories import make_candidates, make_search, make_space, make_user

pytestmark = pytest.mark.django_db


def document(table: Path, **changes: Any) -> dict[str, Any]:
    """Return a study of training and two proxies on the tiny chain, with a table's truth."""
    arms = [
        {"label": "trained", "estimator": {"kind": "short_training", "epochs": 1, "batch_size": 256}},
        {"estimator": {"kind": "proxy", "name": "params"}},
        {"estimator": {"kind": "proxy", "name": "madds"}},
    ]
    config = {
        "space": {"kind": "chain", "definition": CHAIN},
        "dataset": {"kind": "digits"},
        "arms": arms,
        "truth": {"kind": "table", "path": str(table), "reward": "truth"},
        "networks": 20,
        "seed": 2,
    }
    return config | changes


def layers_of(space: SearchSpace, arch: str) -> int:
    """Return the number of convolutions and linear layers of a network, counted in its blueprint."""
    return sum(node.op in ("conv2d", "linear") for node in space.blueprint(space.from_string(arch)))


def begun(config: dict[str, Any], owner: Any = None) -> Study:
    return studies.create(owner or make_user(), StudyConfig.parse(config), local_files=True)


def finished(config: dict[str, Any], owner: Any = None) -> Study:
    study = begun(config, owner)
    for search in study.searches.all():
        drive(search)
    return selector.owned(study.owner).get(pk=study.pk)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path, missing=9)


def test_all_arms_score_the_same_networks_and_are_ranked(table: Path) -> None:
    study = finished(document(table))
    networks = {
        search.arm: list(search.candidates.order_by("number").values_list("arch", flat=True))
        for search in study.searches.all()
    }
    assert set(networks) == {"trained", "proxy params", "proxy madds", "truth"}
    assert len({tuple(rows) for rows in networks.values()}) == 1
    assert selector.status(study)["status"] == "finished"
    found = selector.results(study)
    assert found["networks"] == 20
    truth = Candidate.objects.filter(search__study=study, search__arm="truth", score__isnull=False)
    assert 0 < found["truth_known"] == truth.count() <= 20
    known = dict(truth.values_list("arch", "score"))
    for row in found["estimates"]:
        scores = dict(
            Candidate.objects.filter(search__study=study, search__arm=row["arm"]).values_list("arch", "score")
        )
        expected = kendalltau([scores[arch] for arch in known], list(known.values())).statistic
        assert row["tau"]["value"] == pytest.approx(expected)
        assert row["tau"]["low"] <= row["tau"]["value"] <= row["tau"]["high"]
        assert row["tau"]["count"] == len(known)
    space = spaces.of_search(study.searches.earliest("pk"))
    counts = {
        "params_m": dict(truth.values_list("arch", "params_m")),
        "madds_m": dict(truth.values_list("arch", "madds_m")),
        "trained_layers": {arch: layers_of(space, arch) for arch in known},
    }
    assert [row["name"] for row in found["baselines"]] == list(counts)
    assert len(set(counts["trained_layers"].values())) == 1, "this space has one number of layers"
    assert found["baselines"][2]["tau"] is None
    for row in found["baselines"][:2]:
        expected = kendalltau([counts[row["name"]][arch] for arch in known], list(known.values())).statistic
        assert (row["tau"]["value"], row["tau"]["count"]) == (pytest.approx(expected), len(known))
    verdicts = [[row["verdict"] for row in estimate["baselines"]] for estimate in found["estimates"]]
    assert (verdicts[1][0], verdicts[2][1]) == ("same", "same"), "these two proxies are baselines themselves"
    assert "“proxy params” ranks these" in found["estimates"][1]["sentence"]
    assert "exactly as parameters" in found["estimates"][1]["sentence"]
    names = found["agreement"]["names"]
    assert names == ["trained", "proxy params", "proxy madds", "truth"]
    matrix = found["agreement"]["tau"]
    assert [matrix[i][i] for i in range(4)] == [1.0] * 4
    assert matrix[0][1] == pytest.approx(matrix[1][0])


def test_groups_divide_the_networks_by_what_they_are_made_of(table: Path) -> None:
    config = document(table, networks=60, arms=[{"estimator": {"kind": "proxy", "name": "params"}}])
    study = finished(config)
    groups = selector.results(study)["groups"]
    assert groups
    for group in groups:
        assert min(group["with"], group["without"]) >= selector.LEAST_IN_GROUP
        assert group["with"] + group["without"] == selector.results(study)["truth_known"]


def test_seeds_agree_with_themselves_only(table: Path) -> None:
    arms = [
        {"label": f"seed {seed}", "estimator": {"kind": "short_training", "epochs": 1, "batch_size": 256, "seed": seed}}
        for seed in (0, 1)
    ]
    study = finished(document(table, arms=arms, truth=None, networks=11))
    found = selector.results(study)
    assert found["points"]["truth"] is None
    assert all(row["tau"] is None and row["scored"] == 11 for row in found["estimates"])
    assert all((row["baselines"], row["sentence"]) == ([], "") for row in found["estimates"])
    assert found["baselines"] == []
    [[_, tau], _] = found["agreement"]["tau"]
    assert tau is not None
    assert tau < 1
    repeats = np.array(found["points"]["scores"]).T
    better = repeats[repeats.mean(axis=1) >= np.median(repeats.mean(axis=1))]
    arm = study.searches.first()
    limit = 1.96 * np.sqrt(2 * better.var(axis=1, ddof=1).mean())
    tie = plot.plot(arm, plot.Look("madds_m", "score"))[0]["tie"]
    assert tie["limit"] == pytest.approx(limit)
    assert "11 networks scored with 2 seeds" in tie["words"]
    assert budget.at(arm, "madds_m", "score", None)["tie"] == tie
    assert trust.card(arm)["noise"]["limit"] == tie["limit"]
    assert noise.of(arm, "valid_accuracy") == noise.of(arm, "score")
    assert noise.of(arm, "truth") is None


def test_mote_terms_are_ranked_beside_the_joint() -> None:
    arms = [{"label": "MOTE", "estimator": {"kind": "mote"}}]
    config = document(Path("unused"), arms=arms, truth={"kind": "proxy", "name": "params"}, networks=3)
    names = [row["name"] for row in selector.results(finished(config))["estimates"]]
    assert names == ["MOTE", "MOTE: landscape", "MOTE: speed"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"arms": []}, "arms"),
        ({"networks": 2}, "networks"),
        ({"networks": 82}, "networks"),
        ({"arms": [{"estimator": {"kind": "proxy", "name": "no such"}}]}, "arms.0.estimator.name"),
        ({"truth": {"kind": "table", "path": "/nowhere.csv", "reward": "x"}}, "truth"),
        ({"dataset": {"kind": "upload", "id": 999}}, "dataset"),
        ({"arms": [{"label": "truth", "estimator": {"kind": "mote"}}]}, ""),
    ],
)
def test_bad_studies_name_the_field_and_leave_nothing(table: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        begun(document(table, **changes))
    assert caught.value.errors[0].path.startswith(field), caught.value.errors
    assert not Study.objects.exists()
    assert not Search.objects.exists()


def test_a_study_is_no_larger_than_its_space(table: Path) -> None:
    client = client_of(make_user())
    message = "networks: The space has only 81 networks: give 81 or fewer."
    for path in ("studies/", "studies/forecast/"):
        answer = client.post(API + path, document(table, truth=None, networks=82), format="json")
        assert (answer.status_code, answer.json()["detail"]) == (400, message)
    assert not Study.objects.exists()
    layer = {"options": {"conv": {"block": "conv", "width": [8, 6]}}}
    pair = {"kind": "chain", "definition": {"name": "pair", "stem": {"width": 4}, "layers": [layer]}}
    answer = client.post(f"{API}studies/", document(table, truth=None, space=pair), format="json")
    assert "only 2 networks, too few to rank" in answer.json()["detail"]


@pytest.mark.parametrize(("networks", "told"), [(90, False), (100, True)])
def test_the_best_tenth_is_ranked_where_it_has_ten_networks(networks: int, told: bool) -> None:
    owner = make_user()
    space = make_space(owner)
    study = Study.objects.create(owner=owner, name="tenth", config={})
    for arm in ("own", "truth"):
        search = make_search(owner, space=space, study=study, arm=arm, status=Search.Status.FINISHED)
        make_candidates(search, [{"score": float(number)} for number in range(networks)])
    row, *_ = selector.results(study)["estimates"]
    assert row["tau"]["value"] == pytest.approx(1.0)
    assert row["tau_best_tenth"] == (pytest.approx(1.0) if told else None)


def test_the_api_starts_shows_cancels_and_deletes(table: Path) -> None:
    owner = make_user()
    client = client_of(owner)
    config = document(table, truth=None)
    made = client.post(f"{API}studies/", config, format="json")
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    assert [arm["arm"] for arm in made.json()["arms"]] == ["trained", "proxy params", "proxy madds"]
    assert StudyConfig.from_yaml(made.json()["yaml"]).as_dict() == made.json()["config"]
    assert client.get(f"{API}searches/").json()["results"] == []
    arm = client.get(f"{API}searches/?study={number}").json()["results"][0]["id"]
    assert client.get(f"{API}searches/{arm}/").status_code == 200
    assert client.get(f"{API}studies/{number}/results/").json()["networks"] == 0
    cancelled = client.post(f"{API}studies/{number}/cancel/")
    assert cancelled.json()["status"] == "cancelled"
    for path, method in ((f"studies/{number}/", "get"), (f"studies/{number}/results/", "get")):
        assert_private(path, method)
    assert client.delete(f"{API}studies/{number}/").status_code == 204
    assert not Search.objects.exists()


def test_the_command_line_starts_and_shows(table: Path, tmp_path: Path) -> None:
    owner = make_user("ada")
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(document(table, networks=10)))
    out = io.StringIO()
    call_command("study", "create", "-c", str(file), owner="ada", stdout=out)
    study = Study.objects.get(owner=owner)
    for search in study.searches.all():
        drive(search)
    call_command("study", "show", str(study.pk), owner="ada", stdout=out)
    assert "proxy params: tau" in out.getvalue()
    call_command("study", "list", owner="ada", stdout=out)
    assert "finished  100% of 4 arms" in out.getvalue()


def test_a_constant_truth_is_named_in_results_card_and_command(tmp_path: Path, table: Path) -> None:
    flat = tmp_path / "flat.csv"
    pd.read_csv(table).assign(truth=90.5, score=lambda rows: rows.index).to_csv(flat, index=False)
    study = finished(document(flat, networks=10))
    found = selector.results(study)
    told = {row["constant"] for row in found["estimates"]}
    assert told == {f"all {found['truth_known']} networks have the same truth, 90.5"}
    out = io.StringIO()
    call_command("study", "show", str(study.pk), owner=study.owner.username, stdout=out)
    assert f"tau unknown, {told.pop()}" in out.getvalue()
    assert all(row["constant"] is None for row in selector.results(finished(document(table, networks=10)))["estimates"])


def test_the_trust_card_knows_studies_tables_and_nothing(table: Path) -> None:
    owner = make_user()
    search = drive(start(training_config(), owner=owner))
    assert (trust.card(search)["sources"], trust.card(search)["noise"]) == ([], None)
    arm = {"label": "own", "estimator": search.config["estimator"]}
    study = finished(document(table, arms=[arm], space=search.config["space"]), owner)
    [source] = trust.card(search)["sources"]
    own = next(row for row in selector.results(study)["estimates"] if row["arm"] == "own")
    assert (source["source"], source["study"]) == ("study", study.pk)
    assert source["tau"] == pytest.approx(own["tau"]["value"])
    shared = ("baselines", "ndcg_top", "tau_best_tenth")
    assert {name: source[name] for name in shared} == {name: own[name] for name in shared}
    assert source["sentence"] == own["sentence"].replace("“own”", "the score")
    assert trust.card(search)["sentence"].endswith(source["sentence"])
    reply = client_of(owner).get(f"{API}searches/{search.pk}/trust/").json()
    assert reply["sources"][0]["count"] == own["tau"]["count"]
    assert_private(f"searches/{search.pk}/trust/")


def test_a_tables_truth_is_a_source_of_trust(table: Path) -> None:
    config = {
        "space": {"kind": "chain", "definition": CHAIN},
        "estimator": {"kind": "table", "path": str(table), "reward": "score", "truth": "truth"},
        "algorithm": {"kind": "random"},
        "budget": {"evaluations": 30},
    }
    search = drive(start(SearchConfig.parse(config)))
    [source] = trust.card(search)["sources"]
    rows = list(search.candidates.filter(truth__isnull=False).values_list("score", "truth"))
    assert source["source"] == "table"
    assert source["tau"] == pytest.approx(kendalltau(*zip(*rows, strict=True)).statistic)
    params = list(search.candidates.filter(truth__isnull=False).values_list("params_m", "truth"))
    assert source["baselines"][0]["tau"]["count"] == len(rows)
    assert source["baselines"][0]["tau"]["value"] == pytest.approx(kendalltau(*zip(*params, strict=True)).statistic)
    assert source["sentence"]
    assert trust.card(search)["sentence"].endswith(source["sentence"])
