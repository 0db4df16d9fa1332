"""The counts that every estimate is compared with: parameters, multiply-adds and trained layers of the same networks.

They cost nothing, so an estimate that ranks networks no better than they do is not worth its seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np

from engine.correlation import Bootstrap, Interval, Resampled, best, count_to_separate, kendall, ndcg, spearman
from engine.metrics import METRICS
from engine.space import SearchSpace
from engine.trained_layers import TrainedLayers

Values = np.ndarray
COSTS = ("params_m", "madds_m")
"""The counts that candidates store."""
LABELS = {**{name: METRICS[name].label for name in COSTS}, "trained_layers": "Trained layers"}
"""The label of every baseline by its name; a network with a larger count ranks higher."""
RESAMPLES = 300
"""Number of bootstrap resamples of an interval on the page."""
LEAST_IN_TENTH, LEAST_AT_TOP = 10, 3
"""The least numbers of networks in the best tenth for which tau and nDCG are given; below them luck decides."""
MOST_NEEDED = 10_000
"""Above this number of networks, sentences only say that more would be needed."""
REMEMBERED = 20_000


def trained_layers(space: SearchSpace, archs: Iterable[str]) -> Values:
    """Return the number of trained layers of every network; counts of known networks are kept in the process."""
    return np.array([_trained_layers(space, arch) for arch in archs], dtype=np.float64)


@lru_cache(maxsize=REMEMBERED)
def _trained_layers(space: SearchSpace, arch: str) -> int:
    return _counter(space).of(space.from_string(arch).choices)


@lru_cache(maxsize=32)
def _counter(space: SearchSpace) -> TrainedLayers:
    return TrainedLayers(space)


class Baselines:
    """The baselines on networks of known truth, and how estimates of the same networks compare with them."""

    def __init__(self, truth: Values, counts: Mapping[str, Values], size: int) -> None:
        """Take arrays with one entry for each network.

        ``counts`` has the keys of `LABELS`; ``size`` is the space's number of networks.
        """
        self._truth = truth
        self._counts = counts
        self._size = size
        self._bootstrap = Bootstrap(truth, resamples=RESAMPLES)
        self._resampled = {name: self._bootstrap.of(counts[name]) for name in LABELS}

    def figures(self, scores: Values) -> dict[str, Any]:
        """Return how scores rank the networks: ``tau`` with its interval, ``spearman``, and two figures of the top."""
        return self._figures(scores, self._bootstrap.of(scores))

    def rows(self) -> list[dict[str, Any]]:
        """Return the name, the label and the `figures` of every baseline."""
        return [
            {"name": name, "label": label, **self._figures(self._counts[name], self._resampled[name])}
            for name, label in LABELS.items()
        ]

    def compared(self, subject: str, scores: Values) -> dict[str, Any]:
        """Return ``baselines``, the `rows` with the verdict of the scores against each, and a ``sentence`` on them."""
        estimate = self._bootstrap.of(scores)
        rows = [row | self._apart(estimate, self._resampled[row["name"]]) for row in self.rows()]
        return {"baselines": rows, "sentence": sentence(subject, len(scores), rows, self._size)}

    def _figures(self, scores: Values, resampled: Resampled) -> dict[str, Any]:
        top = best(scores, self._truth) if len(scores) else (scores, self._truth)
        count = len(top[0])
        return {
            "tau": interval(self._bootstrap.interval(resampled)),
            "spearman": finite(spearman(scores, self._truth)),
            "tau_best_tenth": finite(kendall(*top)) if count >= LEAST_IN_TENTH else None,
            "ndcg_top": finite(ndcg(scores, self._truth)) if count >= LEAST_AT_TOP else None,
        }

    def _apart(self, estimate: Resampled, baseline: Resampled) -> dict[str, Any]:
        """Return the ``difference`` of the taus, the ``verdict``, and the ``networks_needed`` if it is unclear."""
        difference = self._bootstrap.difference(estimate, baseline)
        verdict = verdict_on(difference)
        needed = count_to_separate(difference) if verdict == "unclear" else None
        return {"difference": interval(difference), "verdict": verdict, "networks_needed": needed}


def verdict_on(difference: Interval) -> str:
    """Return how an estimate compares with a baseline: better, worse, same, unclear, or unknown without both taus."""
    if not isfinite(difference.value):
        return "unknown"
    if difference.value == difference.low == difference.high == 0:
        return "same"
    return "better" if difference.low > 0 else "worse" if difference.high < 0 else "unclear"


def sentence(subject: str, count: int, rows: Sequence[Mapping[str, Any]], size: int) -> str:
    """Return in words how an estimate compares with the baselines on ``count`` networks; empty if nothing is known."""
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(row["verdict"], []).append(row["label"].lower())
    parts: list[str] = []
    for verdict, words in (("better", "better than"), ("worse", "worse than"), ("same", "exactly as")):
        if verdict in named:
            start = "It ranks them" if parts else f"{subject} ranks these {count:,} networks"
            parts.append(f"{start} {words} {_joined(named[verdict])}.")
    if "unclear" in named:
        near = _joined(named["unclear"])
        parts.append(f"On {count:,} networks the rank correlation of {subject} cannot be told from that of {near}.")
        needed = [_needed(row["networks_needed"], row["label"].lower(), size) for row in rows if row["networks_needed"]]
        if needed:
            parts.append(f"If the difference stays the same, showing it takes {_joined(needed)}.")
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def _needed(networks: int, label: str, size: int) -> str:
    if networks > size:
        return f"more networks than the space has for {label}"
    if networks > MOST_NEEDED:
        return f"more than {MOST_NEEDED:,} networks for {label}"
    return f"about {networks:,} networks for {label}"


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def interval(found: Interval) -> dict[str, Any] | None:
    """Return an interval as JSON data, or None if it is undefined."""
    return asdict(found) if isfinite(found.value) else None


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, or None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
