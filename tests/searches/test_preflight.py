"""Preflight: bucket edges, and a forecast of the time from measurements or from a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from engine.config.search import SearchConfig
from engine.dry_run import suggestions
from engine.errors import ConfigError
from engine.registry import ALGORITHMS
from searches.forms.layout import flatten
from searches.models import Search
from searches.services import creation
from searches.services.resolving import resolve
from tests.searches.driving import drive, start, table_config, training_config, write_table
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db


def test_edges_of_the_buckets_follow_the_limits() -> None:
    found = creation.preflight(make_user(), training_config(objective={"cost_metric": "params_m", "hi": 0.002}))
    layers = found["bucket_edges"]
    assert [layer["layer"] for layer in layers] == [f"layer {i}" for i in range(4)]
    assert all(len(layer["edges"]) == 7 and layer["edges"] == sorted(layer["edges"]) for layer in layers)
    assert layers[-1]["edges"][-1] == pytest.approx(0.002)
    unique = training_config(algorithm={"kind": "layernas", "bucketing": "unique"})
    assert creation.preflight(make_user(), unique)["bucket_edges"] == []


def test_no_more_trials_are_announced_than_the_space_has_networks() -> None:
    owner = make_user()
    unique = training_config(algorithm={"kind": "layernas", "bucketing": "unique"})
    resolved = resolve(owner, unique)
    assert (resolved.algorithm().bound() or 0) > resolved.space.size
    assert creation.preflight(owner, unique)["bound"] == resolved.space.size


def test_a_trial_tells_how_long_an_evaluation_takes() -> None:
    owner = make_user()
    config = training_config(budget={"evaluations": 40})
    before = creation.preflight(owner, config)["time"]
    assert (before["inline"], before["stages"][0]["runs"], before["eta_seconds"]) == (False, 0, None)
    trial = drive(creation.trial(owner, config))
    assert (trial.scored, trial.config["algorithm"]["kind"]) == (creation.TRIAL_NETWORKS, "random")
    after = creation.preflight(owner, config)["time"]
    (stage,) = after["stages"]
    assert (stage["runs"], stage["same_space"], stage["devices"]) == (2, True, ["cpu"])
    assert after["eta_seconds"] == pytest.approx(40 * stage["median_seconds"] / max(after["workers"], 1))
    other = training_config(space={"kind": "nats_size"}, budget={"evaluations": 40})
    (elsewhere,) = creation.preflight(owner, other)["time"]["stages"]
    assert (elsewhere["runs"], elsewhere["same_space"]) == (2, False)
    assert elsewhere["median_seconds"] == stage["median_seconds"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "evaluation-free"),
        ({"final": {"estimator": {"kind": "short_training", "epochs": 2}, "count": 2}}, "ends before the pool of 20"),
    ],
)
def test_what_keeps_mote_nas_from_its_finalists_is_said(changes: dict[str, Any], words: str) -> None:
    config = training_config(algorithm={"kind": "mote_nas"}, **changes)
    assert any(words in warning for warning in creation.preflight(make_user(), config)["warnings"])


def test_looked_up_scores_need_no_trial(tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_EMBEDDED = True
    owner = make_user()
    table = write_table(tmp_path)
    found = creation.preflight(owner, table_config(table))
    assert (found["time"]["inline"], found["time"]["eta_seconds"]) == (True, None)
    assert not any("without a row" in warning for warning in found["warnings"])
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, rows[0], f"stranger{rows[1].removeprefix(rows[1].split(',')[0])}"]))
    assert any(
        "networks without a row fail" in warning
        for warning in creation.preflight(owner, table_config(table))["warnings"]
    )
    table.write_text("\n".join([head, f"stranger{rows[1].removeprefix(rows[1].split(',')[0])}"]))
    with pytest.raises(ConfigError, match="names no network of this space, but 'stranger'"):
        creation.preflight(owner, table_config(table))
    with pytest.raises(ConfigError, match="reward: The column 'beauty' is not there"):
        creation.preflight(
            owner, table_config(table, estimator={"kind": "table", "path": str(table), "reward": "beauty"})
        )
    table.write_text("\n".join([head, rows[0], rows[1].rpartition(",")[0] + ",-10"]))
    with pytest.raises(ConfigError, match="seconds: Row 2 of the column 'seconds' holds -10"):
        start(table_config(table), owner)


def test_the_form_starts_a_trial_and_waits_for_it(client: Client) -> None:
    owner = make_user()
    client.force_login(owner)
    body = {"mode": "yaml", "yaml": training_config(name="long one").to_yaml()}
    assert "Measure the time with a short trial" in client.post("/searches/new/check/", body).content.decode()
    answer = client.post("/searches/new/trial/", body).content.decode()
    search = Search.objects.get(owner=owner)
    assert search.name == "Trial: long one"
    assert f'name="trial" value="{search.pk}"' in answer
    drive(search)
    done = client.post("/searches/new/check/", body | {"trial": str(search.pk)}).content.decode()
    assert "median of 2 measured here" in done
    assert 'name="trial"' not in done
    faulty = client.post("/searches/new/trial/", {"mode": "yaml", "yaml": "space: ["}).content.decode()
    assert "Not ready yet" in faulty
    assert Search.objects.count() == 1


def deep(**changes: Any) -> SearchConfig:
    """A search of a chain of twelve blocks on digits, within a limit that few networks meet."""
    block = {"block": "inverted_residual", "width": [8], "kernel": [5, 3], "expansion": [6, 3, 1]}
    layers = [{"name": f"block {place}", "options": {"ir": block}} for place in range(12)]
    definition = {"name": "deep", "stem": {"width": 8}, "layers": layers}
    document = {
        "space": {"kind": "chain", "definition": definition},
        "dataset": {"kind": "digits"},
        "estimator": {"kind": "mote"},
        "algorithm": {"kind": "layernas"},
        "objective": {"cost_metric": "madds_m", "hi": 0.3},
        "budget": {"evaluations": 24},
    }
    return SearchConfig.parse(document | changes)


def test_a_dry_run_says_that_the_plain_rule_finds_nothing_and_what_helps() -> None:
    found = creation.preflight(make_user(), deep())
    assert found["dry_run"] == {"evaluations": 24, "feasible": 0, "first_feasible": None}
    assert any("will probably end without a result" in warning for warning in found["warnings"])
    (fit,) = found["suggestions"]
    assert (fit["path"], fit["value"]) == ("algorithm.completion", "scaled")
    helped = creation.preflight(make_user(), deep(algorithm={"kind": "layernas", "completion": "scaled"}))
    assert helped["dry_run"] == {"evaluations": 24, "feasible": 24, "first_feasible": 1}
    assert helped["suggestions"] == []


def test_a_higher_limit_is_offered_where_it_helps() -> None:
    """Completing with defaults, the most expensive options, breaks the higher limit as well."""
    costs = [0.2, 0.5, 0.9, 1.2, float("nan")]
    scaled = {"kind": "layernas", "completion": "scaled"}
    (higher,) = suggestions(deep(algorithm=scaled), costs)
    assert (higher.path, higher.value) == ("objective.hi", 0.9)
    assert suggestions(deep(algorithm=scaled, objective={"cost_metric": "madds_m", "hi": 1.0}), costs) == []
    assert suggestions(deep(algorithm={"kind": "dynamic_programming"}), costs) == []


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_every_algorithm_can_be_run_dry(kind: str) -> None:
    found = creation.preflight(make_user(), training_config(algorithm={"kind": kind}, budget={"evaluations": 16}))
    assert found["dry_run"]["evaluations"] > 0
    assert found["dry_run"]["feasible"] == found["dry_run"]["evaluations"]  # there are no limits
    assert not any("dry run" in warning for warning in found["warnings"])


def test_the_panel_offers_buttons_in_the_form_and_says_it_in_the_yaml(client: Client) -> None:
    client.force_login(make_user())
    form = {"mode": "yaml", "yaml": deep().to_yaml()}
    shown = client.post("/searches/new/check/", form).content.decode()
    assert "none of the first 24" in shown
    assert "<code>algorithm.completion: scaled</code>" in shown
    fields = flatten(deep().as_dict())
    sent = {name: value for name, value in fields.items() if value is not None and "constraints" not in name}
    shown = client.post("/searches/new/check/", {**sent, "mode": "form"}).content.decode()
    assert 'data-set="algorithm.layernas.completion" data-value="scaled"' in shown
