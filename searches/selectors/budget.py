"""Changing the budget after the search: the best network at any cost of the front, and its neighbours' differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from searches.models import Candidate, Search
from searches.selectors import columns, spaces
from searches.selectors.columns import SCORED, Columns
from searches.selectors.plot import near_ties, tie_of


def at(search: Search, metric: str, value: str, cost: float | None) -> dict[str, Any]:
    """Return the best feasible network of at most ``cost`` (None: any cost), with its neighbours on the front.

    If no network is that cheap, ``best`` is None and ``dearer`` is the cheapest network. ``crowned`` is the search's
    best network if it is within the budget and differs from ``best``: it is equally good but more expensive, or its
    final score decided.
    """
    asked = cost
    found = columns.of(search)
    front = found.front(metric, value)
    costs = found[metric][front]
    if cost is None and len(costs):
        cost = float(costs[-1])
    place = int(np.searchsorted(costs, cost if cost is not None else 0.0, side="right")) - 1
    chosen = {"best": place, "cheaper": place - 1, "dearer": place + 1}
    numbers = {name: int(front[at]) for name, at in chosen.items() if 0 <= at < len(front)}
    rows = Candidate.objects.filter(search=search, number__in=numbers.values()).in_bulk(field_name="pk")
    by_number = {row.number: row for row in rows.values()}
    shown = {name: by_number[number] for name, number in numbers.items() if number in by_number}
    tie = tie_of(search, value, found[value][front])
    ties = near_ties(found[value][front], tie["limit"])
    networks = {
        name: _network(search, row, metric, value, shown.get("best"), bool(ties[chosen[name]]))
        for name, row in shown.items()
    }
    within = found["state"] == SCORED
    within &= found["feasible"] & (found[metric] <= (cost if cost is not None else -np.inf))
    return {
        "metric": metric,
        "value": value,
        "cost": cost,
        "low": float(costs[0]) if len(costs) else None,
        "high": float(costs[-1]) if len(costs) else None,
        "costs": costs.tolist(),
        "within": int(within.sum()),
        "tie": tie,
        "crowned": _crowned(search, found, shown.get("best"), metric, value, np.inf if asked is None else asked),
        **{name: networks.get(name) for name in chosen},
    }


def _crowned(
    search: Search, found: Columns, named: Candidate | None, metric: str, value: str, most: float
) -> dict[str, Any] | None:
    row = search.best
    if row is None or named is None or row.pk == named.pk or row.number >= found.size:
        return None
    if found["state"][row.number] != SCORED or not found[metric][row.number] <= most:
        return None
    by_finals = row.final_score is not None and value != "final_score"
    if not by_finals and found[value][row.number] != found[value][named.number]:
        return None
    cost = float(found[metric][row.number])
    return {"id": row.pk, "number": row.number, "cost": cost, "by_finals": by_finals}


def _network(
    search: Search, row: Candidate, metric: str, value: str, best: Candidate | None, tie: bool
) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": row.number,
        "arch": row.arch,
        "cost": getattr(row, metric),
        "value": getattr(row, value),
        "near_tie": tie,
        "differences": differences(search, best.choices, row.choices) if best is not None else [],
    }


def differences(search: Search, one: list[int], other: list[int]) -> list[dict[str, str]]:
    """Return the layers in which two networks of a search have different choices, with both choices."""
    space = spaces.of_search(search)
    labels = [space.labels(space.architecture(choices)) for choices in (one, other)]
    return [
        {"layer": layer, "here": here, "there": there}
        for layer, here, there in zip(space.layer_names, *labels, strict=True)
        if here != there
    ]
