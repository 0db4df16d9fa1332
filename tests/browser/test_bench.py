"""`manage.py bench browser`: a smoke run of the real measurement; nothing may be lost."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command


@pytest.mark.usefixtures("chromium")
def test_the_page_is_measured_and_loses_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    file = tmp_path / "browser.json"
    call_command("bench", "browser", "--quick", "--json", "--out", str(file), stdout=out, stderr=io.StringIO())
    result = json.loads(out.getvalue())
    assert result == json.loads(file.read_text())
    figures = {figure["name"]: figure["value"] for figure in result["figures"]}
    names = ("first_view_ms", "update_ms", "table_ms", "page_memory_mb")
    assert all(figures[f"{name}.1500"] > 0 for name in names)
    assert figures["events_lost"] == 0
