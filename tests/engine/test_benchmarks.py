"""Benchmarks: one form for every figure, and LayerNAS's published results on the real table."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import pytest

from engine.benchmarks import layernas_core
from engine.benchmarks.__main__ import BENCHMARKS, main
from engine.benchmarks.layernas_nb201 import chosen_accuracies
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
        for name in ("layernas", "dp")
    ]


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
    """Three seeds of the benchmark's fifty, which give 94.37 and 73.09 at 1e5 s and 94.03 and 71.77 at 1e4 s."""
    table = Table.open(shared_data / "nasbench201.parquet")
    cifar10, cifar100 = (chosen_accuracies(table, dataset, seeds=3) for dataset in ("cifar10", "cifar100"))
    assert fmean(cifar10["1e5.plain"]) == pytest.approx(94.37, abs=0.05)
    assert fmean(cifar100["1e5.plain"]) == pytest.approx(73.09, abs=0.3)
    assert fmean(cifar10["1e4.plain"]) > 93.4
    assert fmean(cifar100["1e4.plain"]) > 69.0
    for found in (cifar10, cifar100):
        assert fmean(found["1e5.plain"]) > fmean(found["1e5.rs"])


def test_time_grows_no_faster_than_the_number_of_candidates() -> None:
    """Rescanning what is stored would make five times the candidates cost far more than five times the seconds."""
    layernas_core.ask_tell_seconds(1_000)
    assert layernas_core.ask_tell_seconds(5_000) < 10 * layernas_core.ask_tell_seconds(1_000)


def test_memory_stays_with_what_is_stored() -> None:
    assert layernas_core.peak_mb(2_000) < 5
