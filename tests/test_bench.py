"""`manage.py bench`: files and a table from real, quick runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


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
    with pytest.raises(CommandError, match="Unknown benchmark nothing: choose of layernas-nb201"):
        call_command("bench", "nothing")
    assert not (tmp_path / "bench").exists()
