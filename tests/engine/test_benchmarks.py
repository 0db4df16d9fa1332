"""Benchmarks: the common form of figures, and LayerNAS's published results on the real table."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import yaml

from engine.benchmarks import curves, layernas_anytime, layernas_core, layernas_nb201
from engine.benchmarks.__main__ import BENCHMARKS, main
from engine.benchmarks.layernas_nb201 import chosen_accuracies
from engine.blueprint import InputSpec
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from engine.table import Table


def test_json_is_one_object_in_the_common_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "bench" / "chain.json"
    assert main(["layernas-chain", "--quick", "--json", "--out", str(out)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text(encoding="utf-8"))
    assert printed["benchmark"] == "layernas-chain"
    assert set(printed) == {"benchmark", "settings", "seconds", "figures"}
    assert printed["figures"] == [
        {"name": f"optimum_found_share.{name}", "value": 1.0, "unit": "share", "better": "higher", "goal": 1.0}
        for name in ("layernas", "layernas_scaled", "dp")
    ]


def test_scaled_completions_find_networks_within_a_limit_from_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A small run: two seeds, the tightest limit, 48 evaluations, without the table of NAS-Bench-201."""
    monkeypatch.setattr(layernas_anytime, "TABLE", tmp_path / "missing.parquet")
    report = layernas_anytime.run(quick=True)
    found = {figure.name: figure.value for figure in report.figures}
    assert report.settings["spaces"] == ["mobilenet60m", "chain22", "nats_size"]
    for space in report.settings["spaces"]:
        assert found[f"feasible_share.{space}.10.48.layernas"] == 1.0
        assert found[f"feasible_share.{space}.10.48.layernas_plain"] < 0.5
        low, mean, high = (found[f"ahead_of_random.{space}.10.48{end}"] for end in ("_low", "", "_high"))
        assert low < mean < high
    assert "best_reward.chain22.10.48.layernas_plain" not in found  # no network, so no figure


def test_missing_data_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NASWEB_SHARED_DATA", str(tmp_path))
    assert main(["layernas-nb201", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["figures"] == []
    assert str(tmp_path) in printed["skipped"]
    assert main(["layernas-nb201"]) == 0
    assert "skipped: no table at" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused_with_the_known_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    message = capsys.readouterr().err
    assert all(name in message for name in BENCHMARKS)


@pytest.mark.shared_data
def test_layernas_reaches_its_published_results_and_beats_random_search(shared_data: Path) -> None:
    """Run three of the fifty seeds; all fifty give 94.37 and 73.09 at 1e5 s, and 94.03 and 71.77 at 1e4 s."""
    table = Table.open(shared_data / "nasbench201.parquet")
    cifar10, cifar100 = (chosen_accuracies(table, dataset, seeds=3) for dataset in ("cifar10", "cifar100"))
    assert fmean(cifar10["1e5.plain"]) == pytest.approx(94.37, abs=0.05)
    assert fmean(cifar100["1e5.plain"]) == pytest.approx(73.09, abs=0.3)
    assert fmean(cifar10["1e4.plain"]) > 93.4
    assert fmean(cifar100["1e4.plain"]) > 69.0
    for found in (cifar10, cifar100):
        assert fmean(found["1e5.plain"]) > fmean(found["1e5.rs"])


@pytest.mark.shared_data
def test_our_best_settings_reach_their_goals(shared_data: Path, tmp_path: Path) -> None:
    """Run one seed, because nothing is random: costliest children first, the best network first."""
    table = Table.open(shared_data / "nasbench201.parquet")
    for dataset in layernas_nb201.FACTORS:
        for budget, setup in layernas_nb201.BEST.items():
            result = layernas_nb201.search(table, dataset, setup, 0, layernas_nb201.BUDGETS[budget])
            assert result.seconds <= layernas_nb201.BUDGETS[budget]
            finals = sum(trial.proposal.stage for trial in result.trials)
            assert (finals > 0) == (dataset == "cifar100" and budget == "1e5"), "longer validations where there are any"
            truth = result.best.estimate.terms["truth"]
            assert truth >= layernas_nb201.GOALS[f"{budget}.best"][dataset] - 0.2
            assert layernas_nb201.trajectory(result.trials)[-1][1] == truth


def test_a_table_of_ones_own_is_searched_and_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    option = {"conv": {"block": "conv", "width": [8, 6, 4]}}
    layers = [{"name": f"layer {i}", "options": option} for i in range(4)]
    space.write_text(yaml.safe_dump({"name": "own", "stem": {"width": 4}, "layers": layers}))
    chain = create_space(ChainOptions(definition=yaml.safe_load(space.read_text())), InputSpec())
    lines = ["arch,reward,truth,cost"]
    for choices in itertools.product(range(3), repeat=4):
        value = sum((i + 1) * c % 3 for i, c in enumerate(choices))
        cost = sum(choices)
        lines.append(f"{chain.to_string(chain.architecture(choices))},{value},{value + 0.5},{cost}")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(lines))
    given = ["--table", str(table), "--space", str(space), "--curves", str(tmp_path / "curves")]
    assert main(["layernas-chain", "--quick", "--json", *given]) == 0
    printed = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure["value"] for figure in printed["figures"]}
    assert set(figures) == {f"{name}.50.truth_mean" for name in ("layernas", "dp", "re", "local", "rs")}
    assert printed["settings"]["largest_cost"] == 4.0
    assert figures["layernas.50.truth_mean"] == printed["settings"]["best_feasible_truth"] >= max(figures.values())
    assert {path.name for path in (tmp_path / "curves").iterdir()} == {"layernas-chain.svg", "layernas-chain.png"}
    assert (tmp_path / "curves" / "layernas-chain.svg").read_text().count("<path") > 10
    for wrong, words in (
        (["layernas-chain", "--table", str(table)], "together"),
        (["layernas-chain", "--table", str(space), "--space", str(space)], "arch"),
        (["mote-exact", "--curves", str(tmp_path)], "does not use --curves"),
    ):
        with pytest.raises(SystemExit):
            main(wrong)
        assert words in capsys.readouterr().err


def test_a_curve_holds_its_value_until_the_next_step() -> None:
    found = curves.values_at([(10.0, 1.0), (30.0, 2.0)], np.array([5.0, 10.0, 29.0, 30.0, 99.0]))
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.0, 2.0, 2.0])


def test_time_grows_no_faster_than_the_number_of_candidates() -> None:
    """If stored networks were scanned again, five times the candidates would take far more than five times as long."""
    layernas_core.ask_tell_seconds(1_000)
    assert layernas_core.ask_tell_seconds(5_000) < 10 * layernas_core.ask_tell_seconds(1_000)


def test_memory_stays_with_what_is_stored() -> None:
    assert layernas_core.peak_mb(2_000) < 5
