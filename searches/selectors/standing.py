"""The rank of a score among random networks: a score alone says little, since every estimate has its own scale.

Random networks are those of one random search or arm of a study, without limits and with the same estimate, space and
data: the one that has scored the most networks. Nothing is scored for this.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from math import floor, isfinite
from typing import Any

import numpy as np

from engine.config.study import TRUTH
from searches.models import Candidate, Search
from searches.models.documents import readable
from searches.selectors import calibrations, columns, studies

LEAST = 20
"""The smallest number of random networks among which a rank is given."""
MOST = 5_000
"""Only this many random networks, the first ones, are compared, which keeps the answer quick."""


def scored_alike(search: Search, other: Search) -> bool:
    """Return whether two searches of one space have the same estimate and, if it needs them, the same images."""
    estimator = search.configuration.estimator
    if other.configuration.estimator != estimator:
        return False
    if not estimator.needs_images:
        return True
    return bool(search.data_info.get("content_hash") == other.data_info.get("content_hash"))


def among_random(candidate: Candidate) -> dict[str, Any] | None:
    """Return the rank of a network's score: ``share`` of the ``networks`` that score less, the ``source``, ``words``.

    Return None without a score, or if fewer than `LEAST` random networks have one.
    """
    search = candidate.search
    random = _random_search(search)
    if random is None or candidate.score is None or candidate.stage or not isfinite(candidate.score):
        return None
    last = search.calibrations.order_by("-round").first()
    state = None if last is None else last.pk, random.created_at, studies.coarse_state(random)
    scores = _scores(search.pk, random.pk, state)
    if len(scores) < LEAST:
        return None
    share = float(np.searchsorted(scores, candidate.score, "left")) / len(scores)
    return {
        "number": candidate.number,
        "share": share,
        "networks": len(scores),
        "search": random.pk,
        "words": words(share, len(scores)),
    }


def words(share: float, networks: int) -> str:
    """Return a rank in words that follow a score; shares are rounded down, so that only the best is above all."""
    if share == 1:
        return f"above all {networks:,} random networks"
    return f"above {floor(100 * share)} % of {networks:,} random networks"


def _random_search(search: Search) -> Search | None:
    """Return the comparable random search with the most scored networks, or the latest if several have as many."""
    rows = Search.objects.filter(
        owner=search.owner_id, space=search.space_id, config__algorithm__kind="random", scored__gte=LEAST
    )
    for other in rows.exclude(pk=search.pk).exclude(arm=TRUTH).order_by("-scored", "-pk"):
        if readable(other) and not _limited(other) and scored_alike(search, other):
            return other
    return None


def _limited(search: Search) -> bool:
    return any(end is not None for _, *ends in search.configuration.objective.limits for end in ends)


@lru_cache(maxsize=64)
def _scores(search_id: int, random_id: int, _state: Hashable) -> np.ndarray:
    """Return the scores of a random search's first `MOST` networks in order, under the search's present constants.

    ``_state`` differs whenever the scores do, since results are kept; while the random search grows, it is coarse.
    """
    given = calibrations.latest(Search.objects.get(pk=search_id))
    random = Search.objects.get(pk=random_id)
    if given is None and not random.calibrations.exists():
        found = columns.of(random)
        scores: np.ndarray = found["score"][found["state"] != columns.ABSENT]
        return np.sort(scores[np.isfinite(scores)][:MOST])
    rows = Candidate.objects.networks().filter(search=random_id, status=Candidate.Status.SCORED).order_by("number")
    terms = rows.values_list("evaluation__terms", "evaluation__score")[:MOST]
    known = (calibrations.score_of(given, *row) for row in terms.iterator())
    return np.sort([score for score in known if score is not None and isfinite(score)])
