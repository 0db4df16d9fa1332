"""The bucket grid of the past: as a search with that budget ended, including evictions and late scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError
from searches.models import Bucket, Search
from searches.selectors import buckets as grid
from searches.selectors import comparison, history, plot, spaces
from searches.services import past
from tests.searches.clients import API, client_of
from tests.searches.driving import drive, start, table_config, write_table

pytestmark = pytest.mark.django_db


def shape(rows: Any) -> list[tuple[Any, ...]]:
    """Return all contents of bucket rows."""
    return [(b.layer, b.index, b.low, b.high, b.residents, b.inserted, b.evicted) for b in rows]


def saved(search: Search) -> list[tuple[Any, ...]]:
    return shape(Bucket.objects.filter(search=search).order_by("layer", "index"))


@pytest.mark.parametrize("exponent", [0.0, 0.07])
def test_the_grid_of_then_is_that_of_a_search_that_ended_then(tmp_path: Path, exponent: float) -> None:
    table = write_table(tmp_path)
    objective = {"cost_metric": "params_m", "size_exponent": exponent}
    longer = drive(start(table_config(table, objective=objective)))
    shorter = drive(start(table_config(table, objective=objective, budget={"evaluations": 24})))
    assert shape(past.buckets(longer)) == saved(longer) != saved(shorter)
    assert shape(past.buckets(longer, upto=24)) == saved(shorter)
    assert any(row[-1] for row in saved(shorter)), "evictions are compared too"
    assert past.buckets(longer, upto=0) == []
    scores = dict(longer.candidates.values_list("number", "score"))
    cells = [cell for layer in grid.grid(longer, [""] * 4) for cell in layer["buckets"]]
    assert all(score == scores[number] for cell in cells for number, score in cell["residents"])
    assert (saved(longer)[0][4][0][1] != scores[saved(longer)[0][4][0][0]]) == bool(exponent)
    led = history.history(longer)
    assert led["steps"]["number"][-1] == longer.best.number
    assert led["chosen_by"] == ("score weighed by size (exponent 0.07)" if exponent else "")
    assert comparison.compared_search(longer, "params_m").steps[-1][2] == longer.best.score


def test_by_layer_only_networks_up_to_it_fill_the_grid(tmp_path: Path) -> None:
    search = drive(start(table_config(write_table(tmp_path))))
    layers = dict(search.candidates.values_list("number", "layer"))
    kept = {number for bucket in past.buckets(search, layers=[0, 1]) for number, _ in bucket.residents}
    assert {layers[number] for number in kept} == {None, 0, 1}
    assert shape(past.buckets(search, layers=range(4))) == saved(search)


@pytest.mark.parametrize(("rule", "order"), [("reversed", [3, 2, 1, 0]), ("cost", [1, 2, 0, 3])])
def test_layers_are_listed_and_replayed_as_they_were_searched(tmp_path: Path, rule: str, order: list[int]) -> None:
    algorithm = {"kind": "layernas", "buckets": 6, "replicas": 2, "layer_order": rule}
    search = drive(start(table_config(write_table(tmp_path), algorithm=algorithm)))
    client = client_of(search.owner)
    url = f"{API}searches/{search.pk}/"
    progress = client.get(url).json()["layers_progress"]
    assert [(row["layer"], row["name"]) for row in progress] == [(layer, f"layer {layer}") for layer in order]
    assert [row["scored"] for row in progress] == [search.candidates.filter(layer=layer).count() for layer in order]
    now = client.get(f"{url}buckets/").json()["layers"]
    assert [(row["layer"], row["name"]) for row in now] == [(layer, f"layer {layer}") for layer in order]
    early = list(search.candidates.exclude(layer__in=order[2:]).values_list("number", flat=True))
    then = client.get(f"{url}buckets/", {"upto_layer": order[1]}).json()["layers"]
    assert {number for row in then for cell in row["buckets"] for number, _ in cell["residents"]} <= {*early}
    assert spaces.searched_until(search, order[1]) == tuple(order[:2])
    look = plot.Look("params_m", "score", infeasible=True, layers=order[:2])
    assert plot.plot(search, look)[0]["in_view"] == len(early)
    last = search.candidates.filter(layer=order[-1]).order_by("-number").first()
    line = client.get(f"{API}candidates/{last.pk}/").json()["lineage"]
    named = [None if step["layer"] is None else f"layer {step['layer']}" for step in line]
    assert [step["layer_name"] for step in line] == named
    assert named[0] == f"layer {order[-1]}"
    first = client.get(f"{url}plot/", {"layer": -1, "infeasible": 1})
    assert first.status_code == 200


def test_too_many_networks_and_algorithms_without_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = write_table(tmp_path)
    assert past.buckets(drive(start(table_config(table, algorithm={"kind": "random"})))) == []
    search = drive(start(table_config(table)))
    monkeypatch.setattr(past, "MOST", 10)
    with pytest.raises(ConfigError, match="choose an earlier point"):
        past.buckets(search, upto=20)
