"""The history of a search: which network led when, and the spread of scores, against trials and seconds.

The leader is the network that the search would have named its best at that moment (`engine.ranking`). The page shows
its score, on the same scale as every other score, with its final score beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.ranking import leads, leads_by_worth, rank, worths
from searches.models import Candidate, Search
from searches.selectors import columns
from searches.selectors.columns import SCORED, Columns

PARTS = 80
"""The largest number of stretches of the search for which the spread of scores is given."""
LEAST = 5
"""The least average number of feasible scores in a stretch."""


@dataclass(frozen=True)
class Trajectory:
    """The scored networks of a search in the order of their numbers, as arrays with one entry per network.

    ``trials`` counts the trials scored up to and including the network, finalists among them. ``seconds`` adds up what
    these trials took.
    """

    numbers: np.ndarray
    trials: np.ndarray
    seconds: np.ndarray
    finals: tuple[tuple[int, int, float, int, float], ...]
    """The number, network, final score, trials and seconds of every scored finalist."""
    total: tuple[int, float]
    """Trials and seconds of the whole search."""


def history(search: Search) -> dict[str, Any]:
    """Return the leaders in the order in which they came to lead, and quantiles of the scores over the search."""
    found = columns.of(search)
    return found.derived("history", lambda: _history(search, found))


def chosen_by(search: Search) -> str:
    """Return what decides who leads, in words; empty if it is the score alone."""
    if search.configuration.final is None:
        return ranked_by(search)
    return f"{ranked_by(search) or 'score'}, then by final score where there is one"


def ranked_by(search: Search) -> str:
    """Return what ranks networks before any final estimate, in words; empty if it is the score alone."""
    exponent = search.configuration.objective.size_exponent
    return f"score weighed by size (exponent {exponent:g})" if exponent else ""


def layers(search: Search) -> dict[int, int]:
    """Return the number of scored networks per layer."""
    found = columns.of(search)
    return found.derived("layers", lambda: _layers(found))


def trajectory(search: Search) -> Trajectory:
    """Return when each network and finalist was scored, without hidden networks and their finalists."""
    found = columns.of(search)
    return found.derived("trajectory", lambda: _trajectory(search, found))


def _trajectory(search: Search, found: Columns) -> Trajectory:
    numbers = np.flatnonzero(found["state"] == SCORED)
    finals = _finals(search, found)
    order = np.argsort(np.concatenate([numbers, [number for number, *_ in finals]]), kind="stable")
    took = np.concatenate([np.nan_to_num(found["seconds"][numbers]), [spent for *_, spent in finals]])[order]
    seconds = np.empty(len(order))
    seconds[order] = np.cumsum(took)
    trials = np.empty(len(order), dtype=np.int64)
    trials[order] = np.arange(1, len(order) + 1)
    split = len(numbers)
    rows = zip(finals, trials[split:].tolist(), seconds[split:].tolist(), strict=True)
    placed = tuple((*final[:3], at, after) for final, at, after in rows)
    return Trajectory(numbers, trials[:split], seconds[:split], placed, (len(order), float(took.sum())))


def _finals(search: Search, found: Columns) -> list[tuple[int, int, float, float]]:
    """Return the number, network, score and seconds of every scored finalist."""
    if search.configuration.final is None:
        return []
    rows = Candidate.objects.finals().filter(search=search, status=Candidate.Status.SCORED).order_by("number")
    return [
        (number, network, score, spent or 0.0)
        for number, network, score, spent in rows.values_list("number", "parent_number", "score", "seconds")
        if network is not None and score is not None and network < found.size and found["state"][network] == SCORED
    ]


def _worths(search: Search, found: Columns, numbers: np.ndarray) -> np.ndarray:
    """Return the scores of these networks, weighted by size if the search does so."""
    objective = search.configuration.objective
    exponent = objective.size_exponent
    scores: np.ndarray = found["score"][numbers]
    return worths(scores, found[objective.cost_metric][numbers], exponent) if exponent else scores


def _history(search: Search, found: Columns) -> dict[str, Any]:
    went = trajectory(search)
    numbers = went.numbers
    feasible = found["feasible"][went.numbers]
    worth = _worths(search, found, numbers)
    steps = leads_by_worth(worth, feasible)
    decided = [row for row in went.finals if found["feasible"][row[1]]]
    if decided:
        steps = steps[numbers[steps] < decided[0][0]]
    leaders: list[tuple[int, float | None, int, float]] = [
        (int(numbers[at]), None, int(went.trials[at]), float(went.seconds[at])) for at in steps
    ]
    leaders += _decided(decided, dict(zip(numbers.tolist(), worth.tolist(), strict=True)) if decided else {})
    rows = [number for number, *_ in leaders]
    return {
        "steps": {
            "trials": [trials for _, _, trials, _ in leaders],
            "seconds": [seconds for *_, seconds in leaders],
            "number": rows,
            "id": found["id"][rows].tolist(),
            "score": found["score"][rows].tolist(),
            "final_score": [final for _, final, *_ in leaders],
            "truth": [value if np.isfinite(value) else None for value in found["truth"][rows].tolist()],
        },
        "spread": _spread(found["score"][numbers], feasible, went),
        "chosen_by": chosen_by(search),
        "trials": went.total[0],
        "seconds": went.total[1],
    }


def _decided(
    finals: Sequence[tuple[int, int, float, int, float]], worth: Mapping[int, float]
) -> list[tuple[int, float | None, int, float]]:
    """Return the network, final score, trials and seconds of each finalist that came to lead."""
    ranks = (rank(network, worth[network], score) for _, network, score, *_ in finals)
    return [finals[at][1:] for at in leads(ranks)]


def _spread(score: np.ndarray, feasible: np.ndarray, went: Trajectory) -> dict[str, list[float]]:
    """Return the 10, 50 and 90 percent quantiles of feasible scores in stretches of equal length, each at its end."""
    parts = min(PARTS, int(feasible.sum()) // LEAST)
    ends = np.linspace(0, len(score), parts + 1).round().astype(int)[1:] if parts > 1 else np.empty(0, dtype=int)
    spread: dict[str, list[float]] = {"trials": [], "seconds": [], "low": [], "middle": [], "high": []}
    start = 0
    for end in ends.tolist():
        part = score[start:end][feasible[start:end]]
        if len(part):
            low, middle, high = np.quantile(part, (0.1, 0.5, 0.9)).tolist()
            values = (int(went.trials[end - 1]), float(went.seconds[end - 1]), low, middle, high)
            for name, value in zip(spread, values, strict=True):
                spread[name].append(value)
        start = end
    return spread


def _layers(found: Columns) -> dict[int, int]:
    layer = found["layer"][found["state"] == SCORED]
    numbers, counts = np.unique(layer[layer >= 0], return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
