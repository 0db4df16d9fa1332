"""The speed benchmark: its figures, and its continuation after an interruption."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.benchmarks import mote_speed
from engine.benchmarks.cells import DATASETS


@pytest.mark.shared_data
def test_speed_is_measured_beside_the_published_setting_and_goes_on(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASWEB_HOME", str(tmp_path))
    monkeypatch.setenv("NASWEB_BENCH_SECONDS", "0")
    begun = mote_speed.run(quick=True)
    scored = begun.settings["cells_scored"]
    assert 0 < scored < mote_speed.QUICK_CELLS
    assert not begun.figures
    (kept,) = (tmp_path / "bench" / "partial").glob("mote-speed-*.jsonl")
    first = kept.read_text(encoding="utf-8")
    monkeypatch.delenv("NASWEB_BENCH_SECONDS")
    report = mote_speed.run(quick=True)
    assert kept.read_text(encoding="utf-8").startswith(first)
    figures = {figure.name: figure for figure in report.figures}
    taus = {f"tau.{dataset}.{whose}" for dataset in DATASETS for whose in ("fast", "authors")}
    assert taus < set(figures)
    fast, paper = (figures[f"seconds_per_architecture.{name}"].value for name in ("fast", "paper_extrapolated"))
    assert figures["throughput_ratio"].value == pytest.approx(paper / fast)
    assert figures["repeat_max_abs_difference"].value == 0.0
    assert "1 of 250 steps" in report.settings["paper_extrapolated"]
