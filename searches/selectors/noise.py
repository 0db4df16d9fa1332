"""How far apart two scores must be to tell two networks apart: from networks scored again under other seeds.

Repeats are whatever the owner's searches hold of the same estimate, space and data under another estimate seed: studies
of seeds, repeated searches, this search's own finalists. The noise is the pooled standard deviation s of a network's
scores, over the better half of the repeated networks, since leaders are what has to be told apart. Two scores of equal
networks differ by no more than 1.96 sqrt(2) s with a probability of 95% (the repeatability limit of ISO 5725-1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, sqrt
from statistics import fmean, median, variance
from typing import Any

import numpy as np

from searches.models import Candidate, Evaluation, Search
from searches.selectors.calibrations import current_score, latest

TIE_SHARE = 0.01
"""Of the front's range: what tells networks apart where the noise is not known."""
LEAST = 5
"""Degrees of freedom; fewer repeats say nothing."""
MOST_NETWORKS, MOST_SOURCES = 1_000, 20
REPEATABILITY = 1.96 * sqrt(2)
Estimate = Mapping[str, Any]


@dataclass(frozen=True)
class Noise:
    """``deviation`` of one score around its network's mean, from the better half of ``networks`` under ``seeds``."""

    deviation: float
    networks: int
    seeds: int

    @property
    def limit(self) -> float:
        """Differences up to here are within the noise."""
        return REPEATABILITY * self.deviation


def of(search: Search, value: str) -> Noise | None:
    """The noise of a column of scores; None where no repeats tell."""
    stage = 1 if value == "final_score" else 0
    own = _estimates(search).get(stage)
    if value not in ("score", "final_score", "valid_accuracy") or own is None or "seed" not in own:
        return None
    others = Search.objects.filter(owner=search.owner_id, space=search.space_id)
    others = others.filter(data_info__content_hash=search.data_info.get("content_hash")).exclude(pk=search.pk)
    others = others.order_by("-pk").only("event_seq", "config")
    rows = [(search, search.finals), *((row, row.event_seq) for row in others)]
    same = [
        ((row.pk, at), state, estimate["seed"])
        for row, state in rows
        for at, estimate in _estimates(row).items()
        if _but_seed(estimate) == _but_seed(own)
    ]
    if len({seed for _, _, seed in same}) < 2:
        return None
    sources = [(place, state) for place, state, _ in same if place != (search.pk, stage)][:MOST_SOURCES]
    # Looked at again when a source grows, and at every doubling of this search.
    own_state = (search.status, search.epoch, search.scored.bit_length(), search.calibrations.count())
    return _noise(search.pk, stage, value, (search.created_at, own_state, tuple(sources)))


def limit_of(noise: Noise | None, values: np.ndarray) -> float:
    """Front neighbours that differ by no more are near ties; ``values`` are the front's."""
    if noise is not None:
        return noise.limit
    return TIE_SHARE * float(np.ptp(values)) if len(values) else 0.0


def words(noise: Noise | None) -> str:
    """What a near tie is measured by, as the page says it."""
    if noise is None:
        return "1 % of the front's range, for how much these values vary from seed to seed is not known"
    return (
        "what 95 % of a network's repeats under another seed differ by at most, measured on the better half of "
        f"{noise.networks:,} networks scored under {noise.seeds} seeds"
    )


def _estimates(search: Search) -> dict[int, Estimate]:
    """Return the options of the search's estimates by stage."""
    return {stage: options.model_dump() for stage, options in enumerate(search.configuration.estimators)}


def _but_seed(estimate: Estimate) -> Estimate:
    return {name: value for name, value in estimate.items() if name != "seed"}


@lru_cache(maxsize=64)
def _noise(search_id: int, stage: int, value: str, state: tuple[Any, ...]) -> Noise | None:
    search = Search.objects.get(pk=search_id)
    constants = latest(search) if value == "score" else None

    def read(rows: Iterable[Candidate]) -> None:
        for row in rows:
            evaluation: Evaluation = row.evaluation
            accuracy = evaluation.terms.get("valid_accuracy")
            score = accuracy if value == "valid_accuracy" else current_score(constants, Candidate(stage=0), evaluation)
            if score is not None and isfinite(score):
                scores[row.arch][evaluation.seed] = score

    scores: dict[str, dict[int, float]] = defaultdict(dict)
    for (pk, at), _ in state[-1]:
        read(_scored(pk, at)[:MOST_NETWORKS])
    read(_scored(search_id, stage).filter(arch__in=list(scores)[:MOST_NETWORKS]))
    repeated = sorted((list(row.values()) for row in scores.values() if len(row) > 1), key=fmean)
    if not repeated:
        return None
    middle = median(map(fmean, repeated))
    better = [row for row in repeated if fmean(row) >= middle]
    freedom = sum(len(row) - 1 for row in better)
    if freedom < LEAST:
        return None
    pooled = sum((len(row) - 1) * variance(row) for row in better) / freedom
    seeds = len({seed for row in scores.values() if len(row) > 1 for seed in row})
    return Noise(sqrt(pooled), len(repeated), seeds)


def _scored(search_id: int, stage: int) -> Any:
    rows = Candidate.objects.filter(search=search_id, stage=stage, status=Candidate.Status.SCORED)
    wanted = ("arch", "evaluation__seed", "evaluation__score", "evaluation__terms", "evaluation__estimator")
    return rows.select_related("evaluation").only(*wanted).order_by("number")
