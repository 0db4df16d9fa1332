"""`manage.py bench`: the files and the table of real, quick runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from nasweb.benchmarks.chaos import duplicated, lost
from searches import events
from tests.searches.factories import make_search, make_user


@pytest.mark.processes
def test_named_benchmark_leaves_its_figures(settings: Any, tmp_path: Path) -> None:
    settings.NASWEB_HOME = tmp_path
    call_command("bench", "layernas-chain", "--quick", stdout=io.StringIO())
    result = json.loads((tmp_path / "bench" / "layernas-chain.json").read_text())
    assert result["benchmark"] == "layernas-chain"
    table = (tmp_path / "bench" / "figures.md").read_text()
    assert all(f"| {figure['name']} |" in table for figure in result["figures"])
    assert result["figures"]


def test_unknown_benchmark(settings: Any, tmp_path: Path) -> None:
    settings.NASWEB_HOME = tmp_path
    with pytest.raises(CommandError, match="Unknown benchmark nothing: choose from layernas-nb201"):
        call_command("bench", "nothing")
    assert not (tmp_path / "bench").exists()


def test_a_file_holds_one_benchmark(tmp_path: Path) -> None:
    for names in ([], ["chaos", "layernas-chain"]):
        with pytest.raises(CommandError, match="holds one benchmark: name one of layernas-nb201"):
            call_command("bench", *names, "--out", str(tmp_path / "figures.json"))
    assert not list(tmp_path.iterdir())


def figures_of(name: str, file: Path) -> dict[str, float]:
    """Return the figures of a quick run of the command, which must print what it writes."""
    out = io.StringIO()
    call_command("bench", name, "--quick", "--json", "--out", str(file), stdout=out, stderr=io.StringIO())
    result = json.loads(out.getvalue())
    assert result == json.loads(file.read_text())
    assert result["benchmark"] == name
    return {figure["name"]: figure["value"] for figure in result["figures"]}


@pytest.mark.processes
def test_chaos_changes_nothing(tmp_path: Path) -> None:
    found = figures_of("chaos", tmp_path / "of" / "chaos.json")
    assert found == {"kills": 2, "lost": 0, "duplicated": 0, "equal_to_undisturbed": 1}


@pytest.mark.processes
def test_scale_runs_real_and_simulated_workers(tmp_path: Path) -> None:
    found = figures_of("scale", tmp_path / "scale.json")
    of_ideal, of_rounds = (found[f"efficiency.8_simulated.{name}"] for name in ("of_ideal", "of_rounds"))
    assert set(found) == {"speedup.2_workers", "efficiency.8_simulated.of_ideal", "efficiency.8_simulated.of_rounds"}
    assert 0 < of_ideal <= of_rounds <= 1


@pytest.mark.django_db
def test_chaos_counts_what_is_lost_and_what_is_there_twice() -> None:
    search = make_search(make_user())
    rows = [(number, 0, f"arch {number}", "", 0, 0, None, "scored") for number in range(3)]
    with transaction.atomic():
        events.record(search, [events.candidates([0, 1]), events.candidates([2])])
    assert (lost(rows, rows), duplicated(search, rows, rows)) == (0, 0)
    with transaction.atomic():
        events.record(search, [events.candidates([1])])
    assert duplicated(search, rows, rows) == 1
    assert duplicated(search, rows, [*rows, rows[0]]) == 2
    assert lost(rows, rows[:1]) == 2
