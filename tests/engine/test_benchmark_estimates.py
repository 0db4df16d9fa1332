"""Benchmarks of estimates: cells in a fixed order, results kept between runs, quick runs on the real data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.benchmarks import mote_correlation, mote_early, proxies
from engine.benchmarks.__main__ import main
from engine.benchmarks.cells import DATASETS, TUNING_CELLS, TruthCells
from engine.benchmarks.partial import PartialResults
from engine.estimators import mote
from engine.proxies import PROXIES
from engine.reduction.profiles import Profile

KERNELS = {"ntk_condition", "knas", "lga"}
"""Proxies that are left out here, because they are by far the slowest."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for all tests of the module, so that images are unpacked once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASWEB_HOME", str(home))
    monkeypatch.setitem(mote.PROFILES, "fast", Profile(max_side=8, batch_size=16, steps=20, epochs=5))


def test_what_was_measured_is_found_again_and_only_with_the_same_settings() -> None:
    first = PartialResults("test", {"seed": 1})
    first.add("a", {"score": 1.5})
    first.add("b", {"score": None})
    assert PartialResults("test", {"seed": 1}).records == {"a": {"score": 1.5}, "b": {"score": None}} == first.records
    assert PartialResults("test", {"seed": 2}).records == {}
    assert PartialResults("other", {"seed": 1}).records == {}


def test_a_line_torn_by_a_crash_is_measured_again() -> None:
    torn = PartialResults("torn", {})
    torn.add("a", {"score": 1.0})
    torn.add("b", {"score": 2.0})
    torn.path.write_text(torn.path.read_text()[:-8])
    again = PartialResults("torn", {})
    assert again.records == {"a": {"score": 1.0}}
    again.add("b", {"score": 3.0})
    assert PartialResults("torn", {}).records == {"a": {"score": 1.0}, "b": {"score": 3.0}}


def test_az_nas_adds_the_logarithms_of_ranks() -> None:
    found = proxies.rank_product([np.array([1.0, 5.0, 3.0]), np.array([9.0, -np.inf, -np.inf])])
    assert found == pytest.approx(np.log([1 / 3 * 3 / 3, 3 / 3 * 1.5 / 3, 2 / 3 * 1.5 / 3]))


@pytest.mark.shared_data
def test_cells_to_report_on_are_none_to_tune_on(shared_data: Path) -> None:
    cells = TruthCells.read(shared_data / "nasbench201.parquet")
    assert len(cells.archs) == 15_614
    tuned = cells.tuned_on().archs
    reported = cells.reported(1000).archs
    assert (len(tuned), len(reported), len({*tuned, *reported})) == (TUNING_CELLS, 1000, TUNING_CELLS + 1000)
    assert TruthCells.read(shared_data / "nasbench201.parquet").reported(5).archs == reported[:5]
    for dataset in DATASETS:
        assert len(cells.reported(10).truth(dataset)) == 10


@pytest.mark.shared_data
def test_a_stopped_benchmark_goes_on_where_it_was(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mote_correlation, "QUICK_CELLS", 3)
    monkeypatch.setenv("NASWEB_BENCH_SECONDS", "0")
    stopped = mote_correlation.run(quick=True)
    assert stopped.settings["cells_trained"] == 0
    assert not any(figure.name.startswith("tau") for figure in stopped.figures)
    monkeypatch.delenv("NASWEB_BENCH_SECONDS")
    assert main(["mote-correlation", "--quick", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure for figure in printed["figures"]}
    for dataset in DATASETS:
        for name in (
            "authors",
            "authors_plus",
            "mote",
            "mote_plus",
            "landscape",
            "tse",
            "untrained",
            "params",
            "madds",
        ):
            figure = figures[f"tau.{dataset}.{name}"]
            assert (
                figures[f"{figure['name']}_low"]["value"]
                <= figure["value"]
                <= figures[f"{figure['name']}_high"]["value"]
            )
        assert figures[f"tau.{dataset}.authors"]["value"] == figures[f"tau.{dataset}.mote"]["anchor"]
    total = figures["seconds.untrained"]["value"] + figures["seconds.mote"]["value"]
    assert figures["seconds.mote_plus"]["value"] == pytest.approx(total, abs=1e-3)
    # The second run measures nothing: it reads the kept results of the first one, including seconds.
    assert [figure.value for figure in mote_correlation.run(quick=True).figures] == [
        f["value"] for f in printed["figures"]
    ]


@pytest.mark.shared_data
def test_proxies_on_real_images(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "QUICK_CELLS", 3)
    few = {name: proxy for name, proxy in PROXIES.items() if name not in KERNELS}
    monkeypatch.setattr(proxies, "PROXIES", few)
    found = proxies.run(quick=True)
    names = {figure.name for figure in found.figures}
    assert {f"seconds.{name}" for name in few} <= names
    assert {"tau.cifar10.synflow", "tau.imagenet16_120.az_nas", "rho.cifar100.jacob_cov"} <= names
    anchored = [figure for figure in found.figures if figure.name.startswith("rho.")]
    assert anchored
    assert all(figure.anchor and figure.anchor_source for figure in anchored)
    assert all(-1 <= figure.value <= 1 for figure in found.figures if not figure.name.startswith("seconds"))


@pytest.mark.shared_data
def test_a_rule_that_ends_cells_early_is_chosen_on_the_tuning_cells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mote_early, "EPOCHS", (10, 20))
    assert main(["mote-early", "--quick", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure["value"] for figure in printed["figures"]}
    assert printed["settings"]["cells"] == mote_early.QUICK_CELLS
    assert printed["settings"]["epoch"] in mote_early.EPOCHS
    assert all(figures[f"tau_change.tuning.{dataset}"] >= -mote_early.ALLOWED for dataset in DATASETS)
    for name in ("tuning", "others"):
        assert 0 < figures[f"seconds_saved.{name}"] < figures[f"ended.{name}"] < 1


@pytest.mark.shared_data
def test_ending_no_cell_changes_nothing_and_ending_all_keeps_their_first_epochs(shared_data: Path) -> None:
    curves = mote_early.Curves(TruthCells.read(shared_data / "nasbench201.parquet").reported(40))
    none = curves.cut(5, np.inf)
    every = curves.cut(5, -np.inf)
    assert (none.ended, none.saved, none.changes) == (0, 0, [0, 0, 0])
    assert every.ended == curves.trained.mean()
    assert every.saved == pytest.approx(1 - 5 / curves.losses.shape[1])
    assert any(every.changes)


def test_without_the_shared_folder_they_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASWEB_SHARED_DATA", str(tmp_path))
    for module in (proxies, mote_correlation, mote_early):
        report = module.run(quick=True)
        assert report.skipped is not None
        assert str(tmp_path) in report.skipped
        assert not report.figures
