"""Comparison of searches: fronts, hypervolume and best score over time, repeats over seeds, differing settings.

The best network at a time is the one that the search would have named then (`selectors.history`): by final scores if
there are any, else by the score, weighted by size if the search does so. Its score is compared; the truth is only
reported for the chosen network. Seconds are the charged seconds of the trials, added up in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.pareto import ParetoFront, Point
from searches.models import Search
from searches.models.documents import readable
from searches.selectors import columns, history

MOST = 12
"""The largest number of searches in one comparison."""
MARGIN = 0.1
"""Distance of the hypervolume's reference from the worst cost and score, as a share of the fronts' span."""
GRID = 200
IGNORED = ("name", "seed")
"""Settings that may differ between repeats of one search."""
NO_VALUE = "-"


@dataclass(frozen=True)
class ComparedSearch:
    """The trajectory of one search: steps ``(evaluations, seconds, score, truth)``, and the front after each change.

    ``final_score`` is that of the last best network.
    """

    evaluations: int
    seconds: float
    steps: tuple[tuple[int, float, float, float | None], ...]
    fronts: tuple[tuple[int, float, tuple[Point[int], ...]], ...]
    final_score: float | None

    @property
    def front(self) -> tuple[Point[int], ...]:
        """The last front; its keys are candidates' ids."""
        return self.fronts[-1][2] if self.fronts else ()


@dataclass(frozen=True)
class Reference:
    """The reference point of the hypervolume: largest cost and least score, the same for all compared searches."""

    cost: float
    score: float


def compare(searches: Sequence[Search], metric: str) -> dict[str, Any]:
    """Return everything that the comparison page shows; searches that have not changed are not read again."""
    compared = [compared_search(search, metric) for search in searches]
    reference = reference_of([c.front for c in compared])
    volumes = [_volumes(c, reference) for c in compared]
    groups = repeats_among(searches)
    return {
        "metric": metric,
        "reference": None if reference is None else {"cost": reference.cost, "score": reference.score},
        "searches": [
            _shown(search, c, volume, groups) for search, c, volume in zip(searches, compared, volumes, strict=True)
        ],
        "groups": [_group(members, searches, compared, volumes) for members in groups if len(members) > 1],
        "settings": differing(searches),
        "warnings": _warnings(searches, metric, compared),
    }


def compared_search(search: Search, metric: str) -> ComparedSearch:
    """Return the trajectory of a search; it is cached until the search's log grows."""
    return _compared_search(search.pk, metric, (search.created_at, search.event_seq, search.epoch))


@lru_cache(maxsize=64)
def _compared_search(search_id: int, metric: str, _state: Hashable) -> ComparedSearch:
    search = Search.objects.get(pk=search_id)
    found = columns.of(search)
    went = history.trajectory(search)
    led = history.history(search)["steps"]
    steps = tuple(zip(led["trials"], led["seconds"], led["score"], led["truth"], strict=True))
    front: ParetoFront[int] = ParetoFront()
    fronts: list[tuple[int, float, tuple[Point[int], ...]]] = []
    numbers = went.numbers
    kept = np.flatnonzero(found["feasible"][numbers] & np.isfinite(found[metric][numbers]))
    rows = numbers[kept]
    values = (found["id"][rows], found["score"][rows], found[metric][rows], went.trials[kept], went.seconds[kept])
    for key, score, cost, trials, seconds in zip(*(column.tolist() for column in values), strict=True):
        if front.add(Point(cost, score, key)):
            fronts.append((trials, seconds, tuple(front.points)))
    return ComparedSearch(*went.total, steps, tuple(fronts), led["final_score"][-1] if steps else None)


def reference_of(fronts: Sequence[Sequence[Point[int]]]) -> Reference | None:
    """Return a reference point just beyond all fronts, or None while they are empty."""
    points = [point for front in fronts for point in front]
    if not points:
        return None
    costs, scores = [p.cost for p in points], [p.score for p in points]
    cost_span = max(costs) - min(costs) or abs(max(costs)) or 1.0
    score_span = max(scores) - min(scores) or abs(max(scores)) or 1.0
    return Reference(max(costs) + MARGIN * cost_span, min(scores) - MARGIN * score_span)


def _volumes(searched: ComparedSearch, reference: Reference | None) -> list[tuple[int, float, float]]:
    """Return ``(evaluations, seconds, hypervolume)`` at every growth of the hypervolume."""
    grown: list[tuple[int, float, float]] = []
    if reference is None:
        return grown
    for evaluations, seconds, points in searched.fronts:
        volume = ParetoFront(points).hypervolume(reference.cost, reference.score)
        if not grown or volume > grown[-1][2]:
            grown.append((evaluations, seconds, volume))
    return grown


def settings_key(search: Search) -> str:
    """Return a key that is equal for searches that differ only in name and seed."""
    return repr(sorted((path, value) for path, value in settings(search).items() if path not in IGNORED))


def repeats_among(searches: Sequence[Search]) -> list[list[int]]:
    """Return groups of positions of searches with equal settings and data, ordered by their first member."""
    groups: dict[tuple[str, str], list[int]] = {}
    for position, search in enumerate(searches):
        data = str(search.data_info.get("content_hash", ""))
        groups.setdefault((settings_key(search), data), []).append(position)
    return list(groups.values())


def repeats(search: Search) -> list[Search]:
    """Return the search and its owner's other searches with equal settings, ordered by seed."""
    others = Search.objects.filter(owner=search.owner_id, space=search.space_id).order_by("id")
    wanted = settings_key(search)
    found = [other for other in others if readable(other) and settings_key(other) == wanted]
    return sorted(found, key=lambda other: (other.configuration.seed, other.pk))


def settings(search: Search) -> dict[str, Any]:
    """Return the search's settings by dotted path; a list counts as one value."""
    return _flat(search.configuration.as_dict())


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in config.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            values |= _flat(value, f"{path}.")
        else:
            values[path] = value
    return values


def differing(searches: Sequence[Search]) -> list[dict[str, Any]]:
    """Return ``{path, values}`` of the settings that differ between the searches, except names, in document order."""
    configs = [settings(search) for search in searches]
    paths = dict.fromkeys(path for config in configs for path in config)
    rows = [
        {"path": path, "values": [_as_text(config.get(path, NO_VALUE)) for config in configs]}
        for path in paths
        if path != "name"
    ]
    data = [str(search.data_info.get("label", "")) or NO_VALUE for search in searches]
    return [row for row in [*rows, {"path": "data", "values": data}] if len(set(row["values"])) > 1]


def _as_text(value: Any) -> str:
    return NO_VALUE if value is None or value == "" else str(value)


def _shown(
    search: Search, searched: ComparedSearch, volumes: list[tuple[int, float, float]], groups: list[list[int]]
) -> dict[str, Any]:
    best = search.best
    return {
        "id": search.pk,
        "name": search.name,
        "status": search.status,
        "algorithm": search.configuration.algorithm.kind,
        "estimator": search.configuration.estimator.kind,
        "seed": search.configuration.seed,
        "evaluations": searched.evaluations,
        "seconds": searched.seconds,
        "best": None if best is None else {"id": best.pk, "number": best.number, "arch": best.arch},
        "best_score": searched.steps[-1][2] if searched.steps else None,
        "best_final_score": searched.final_score,
        "best_truth": searched.steps[-1][3] if searched.steps else None,
        "chosen_by": history.chosen_by(search),
        "hypervolume": volumes[-1][2] if volumes else None,
        "front": [{"id": p.key, "cost": p.cost, "score": p.score} for p in searched.front],
        "steps": searched.steps,
        "volumes": volumes,
    }


def _group(
    members: Sequence[int],
    searches: Sequence[Search],
    compared: Sequence[ComparedSearch],
    volumes: Sequence[Sequence[tuple[int, float, float]]],
) -> dict[str, Any]:
    """Return mean and spread of repeats: best score and hypervolume over evaluations and over seconds."""
    first = searches[members[0]]
    curves: dict[str, Any] = {}
    for along, column in (("evaluations", 0), ("seconds", 1)):
        ends = [float(getattr(compared[i], along)) for i in members]
        scores = [[((step[0], step[1])[column], step[2]) for step in compared[i].steps] for i in members]
        areas = [[(step[column], step[2]) for step in volumes[i]] for i in members]
        curves[along] = {"score": mean_and_spread(scores, ends), "hypervolume": mean_and_spread(areas, ends)}
    return {
        "name": first.name,
        "searches": [searches[i].pk for i in members],
        "seeds": [searches[i].configuration.seed for i in members],
        "curves": curves,
    }


def mean_and_spread(curves: Sequence[Sequence[tuple[float, float]]], ends: Sequence[float]) -> dict[str, list[float]]:
    """Return mean, population standard deviation, least and largest value of step curves ``[(x, y), ...]``.

    ``x`` begins where every curve has a value and ends at the end of the shortest curve.
    """
    empty: dict[str, list[float]] = {name: [] for name in ("x", "mean", "std", "low", "high")}
    if not curves or not all(curves):
        return empty
    begin = max(curve[0][0] for curve in curves)
    end = min(ends)
    if end < begin:
        return empty
    steps = np.unique([x for curve in curves for x, _ in curve if begin <= x <= end] + [begin, end])
    x = steps if len(steps) <= GRID else np.linspace(begin, end, GRID)
    values = np.array([_at(curve, x) for curve in curves])
    return {
        "x": x.tolist(),
        "mean": values.mean(axis=0).tolist(),
        "std": values.std(axis=0).tolist(),
        "low": values.min(axis=0).tolist(),
        "high": values.max(axis=0).tolist(),
    }


def _at(curve: Sequence[tuple[float, float]], x: np.ndarray) -> np.ndarray:
    xs, ys = np.array(curve, dtype=float).T
    found: np.ndarray = ys[np.searchsorted(xs, x, side="right") - 1]
    return found


def _warnings(searches: Sequence[Search], metric: str, compared: Sequence[ComparedSearch]) -> list[str]:
    """Return warnings about differences that make the comparison weaker than it looks."""
    warnings = []
    estimates = {repr(search.configuration.estimator) for search in searches}
    if len(estimates) > 1:
        warnings.append(
            "The searches use different estimates. Compare only costs: their scores are on different scales."
        )
    if len({search.space_id for search in searches}) > 1:
        warnings.append("The searches use different spaces.")
    if len({str(search.data_info.get("content_hash", "")) for search in searches}) > 1:
        warnings.append("The searches train on different data.")
    empty = [s.name for s, c in zip(searches, compared, strict=True) if not c.front]
    if empty:
        warnings.append(f"These searches have no feasible network with a known {metric} yet: {', '.join(empty)}.")
    return warnings
