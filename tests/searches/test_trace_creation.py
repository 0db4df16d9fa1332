"""From a request to a queued search every module of the way is entered at most twice (`tests.trace_creation`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from searches.examples import EXAMPLES
from searches.models import Search
from tests.searches.driving import table_config, write_table
from tests.searches.factories import make_user
from tests.trace_creation import Trace, by_api, by_form

pytestmark = pytest.mark.django_db
MOST = 2
TRAINED = {"estimator": {"kind": "short_training", "epochs": 1}, "count": 2}


def final_by(column: str, path: Path) -> dict[str, Any]:
    """A final estimate of another column of the same table."""
    return {"estimator": {"kind": "table", "path": str(path), "reward": column}, "count": 2}


@pytest.mark.parametrize("way", [by_form, by_api])
@pytest.mark.parametrize("estimates", ["mote", "table", "table, then trained", "table, then another column"])
def test_modules_are_entered_at_most_twice(
    way: Callable[[Any, Any], Trace], estimates: str, tmp_path: Path, settings: Any
) -> None:
    settings.NASWEB_EMBEDDED = True  # files of this machine may be named
    path = write_table(tmp_path)
    changes: dict[str, dict[str, Any]] = {
        "table": {},
        "table, then trained": {"final": TRAINED, "dataset": {"kind": "digits"}},
        "table, then another column": {"final": final_by("truth", path)},
    }
    mote = dict(EXAMPLES[0].config)
    document = mote if estimates == "mote" else table_config(path, **changes[estimates]).as_dict()
    owner = make_user()
    trace = way(owner, document)
    search = Search.objects.get(owner=owner)
    assert search.status == Search.Status.QUEUED
    assert search.configuration.estimator.kind == document["estimator"]["kind"]
    counts = trace.counts
    passed = {"engine.registry", "engine.config.search", "searches.services.resolving", "searches.services.creation"}
    assert passed <= counts.keys()
    assert {module: trace.entries[module] for module, count in counts.items() if count > MOST} == {}


def test_an_entry_is_a_call_from_outside() -> None:
    from engine.config.search import SearchConfig

    trace = Trace()
    with trace.running():
        SearchConfig.parse(EXAMPLES[0].config)
        SearchConfig.parse(EXAMPLES[0].config)
    assert trace.counts["engine.config.base"] == 2
    assert all("test_an_entry" not in entry for found in trace.entries.values() for entry in found)
