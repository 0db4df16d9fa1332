"""Comparison of two networks of one space: the layers that differ, and the differences in cost and score."""

from __future__ import annotations

from typing import Any

from engine.metrics import COST_NAMES, SCORE_NAMES
from searches.models import Candidate
from searches.services.export_jobs import architecture_of, check_comparable


def difference(candidate: Candidate, other: Candidate) -> dict[str, Any]:
    """Return the layers with both networks' options, and every number that both have.

    Raises ActionRefused if the networks are from different spaces.
    """
    space, architecture = architecture_of(candidate)
    check_comparable(candidate, other, space)
    own = space.labels(architecture)
    others = space.labels(space.architecture(other.choices))
    layers = [
        {"layer": layer, "name": name, "own": mine, "other": its, "changed": mine != its}
        for layer, (name, mine, its) in enumerate(zip(space.layer_names, own, others, strict=True))
    ]
    return {
        "candidate": candidate,
        "other": other,
        "layers": layers,
        "changed": sum(layer["changed"] for layer in layers),
        "costs": _numbers(candidate, other, COST_NAMES),
        "measures": _numbers(candidate, other, SCORE_NAMES),
    }


def _numbers(candidate: Candidate, other: Candidate, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        own, its = getattr(candidate, name), getattr(other, name)
        if own is not None and its is not None:
            rows.append({"name": name, "own": own, "other": its, "difference": own - its})
    return rows
