"""The noise of scores, which decides whether two scores differ, measured on networks scored with several seeds.

Repeats are all scores in the owner's searches with the same estimate, space and data but another seed of the estimate.
They come from studies of seeds, repeated searches, and this search's own finalists. The noise is the pooled standard
deviation s of a network's scores. Only the better half of the repeated networks counts, because the best networks must
be distinguished. Two scores of the same network differ by at most 1.96 sqrt(2) s with a probability of 95% (the
repeatability limit of ISO 5725-1).
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
from searches.models.documents import readable
from searches.selectors.calibrations import current_score, latest

TIE_SHARE = 0.01
"""If the noise is not known, networks that differ by at most this share of the front's range are near ties."""
LEAST = 5
"""The smallest number of degrees of freedom for which the noise is given."""
MOST_NETWORKS, MOST_SOURCES = 1_000, 20
REPEATABILITY = 1.96 * sqrt(2)
Estimate = Mapping[str, Any]


@dataclass(frozen=True)
class Noise:
    """The standard deviation of a score around its network's mean.

    It comes from the better half of ``networks`` networks, scored with ``seeds`` seeds.
    """

    deviation: float
    networks: int
    seeds: int

    @property
    def limit(self) -> float:
        """The largest difference that is within the noise."""
        return REPEATABILITY * self.deviation


def of(search: Search, value: str) -> Noise | None:
    """Return the noise of a column of scores, or None if there are too few repeats."""
    stage = 1 if value == "final_score" else 0
    own = _estimates(search).get(stage)
    if value not in ("score", "final_score", "valid_accuracy") or own is None or "seed" not in own:
        return None
    others = Search.objects.filter(owner=search.owner_id, space=search.space_id)
    others = others.filter(data_info__content_hash=search.data_info.get("content_hash")).exclude(pk=search.pk)
    others = others.order_by("-pk").only("event_seq", "config")
    rows = [(search, search.finals), *((row, row.event_seq) for row in others if readable(row))]
    same = [
        ((row.pk, at), state, estimate["seed"])
        for row, state in rows
        for at, estimate in _estimates(row).items()
        if _but_seed(estimate) == _but_seed(own)
    ]
    if len({seed for _, _, seed in same}) < 2:
        return None
    sources = [(place, state) for place, state, _ in same if place != (search.pk, stage)][:MOST_SOURCES]
    # Computed again when a source grows, and at every doubling of this search.
    own_state = (search.status, search.epoch, search.scored.bit_length(), search.calibrations.count())
    return _noise(search.pk, stage, value, (search.created_at, own_state, tuple(sources)))


def limit_of(noise: Noise | None, values: np.ndarray) -> float:
    """Return the difference up to which neighbours on the front are near ties; ``values`` are the front's."""
    if noise is not None:
        return noise.limit
    return TIE_SHARE * float(np.ptp(values)) if len(values) else 0.0


def words(noise: Noise | None) -> str:
    """Return a description of the limit of near ties for the page."""
    if noise is None:
        return "1 % of the front's range, because the variation of these values between seeds is not known"
    return (
        "the largest difference of 95 % of a network's repeats with other seeds, measured on the better half of "
        f"{noise.networks:,} networks scored with {noise.seeds} seeds"
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
