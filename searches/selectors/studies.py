"""The results of a study: how each estimate ranks the networks that all of them scored."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import isfinite, log
from typing import Any

import numpy as np
from django.db.models import QuerySet

from engine.config.study import TRUTH, is_skip
from engine.correlation import MOST_RESAMPLED, constant, kendall
from engine.space import SearchSpace
from searches.models import Candidate, Search, Study
from searches.models.documents import readable
from searches.selectors import spaces
from searches.selectors.baselines import COSTS, RESAMPLES, Baselines, finite, trained_layers

TERMS = ("landscape", "speed")
"""MOTE's parts, each of which is ranked, too."""
EXACT = 500
GROWTH = 1.01
"""A running arm is read again at every network up to this number, then whenever it has grown by this factor."""
REMEMBERED = 20_000
LEAST_IN_GROUP = 8
"""A group of fewer networks gets no tau of its own, which would be a matter of luck."""
GROUPS = 12
Values = np.ndarray


@dataclass(frozen=True)
class ScoreColumn:
    """The scores of one arm, or of one term of it, by network; ``seconds`` is the mean of its trials."""

    arm: str
    term: str
    scores: Values
    seconds: float

    @property
    def name(self) -> str:
        """The name on plots."""
        return f"{self.arm}: {self.term}" if self.term else self.arm


def owned(owner: Any) -> QuerySet[Study]:
    """Return the owner's studies, newest first, with their searches."""
    return Study.objects.filter(owner=owner).prefetch_related("searches").order_by("-id")


def status(study: Study) -> dict[str, Any]:
    """Return ``status`` in one word, ``progress`` of all arms together from 0 to 1, and each arm.

    For prefetched studies no query is made.
    """
    searches = sorted(study.searches.all(), key=lambda search: search.pk)
    arms = [
        {
            "arm": search.arm,
            "search": search.pk,
            "status": search.status,
            "reason": search.status_reason if search.status == Search.Status.FAILED else "",
            "scored": search.scored,
            "failed": search.failed,
            "networks": search.budget_evaluations,
        }
        for search in searches
    ]
    done = sum(search.scored + search.failed for search in searches)
    of = sum(search.budget_evaluations or 0 for search in searches)
    words = {search.status for search in searches}
    word: str
    if words <= set(Search.ENDED):
        word = next((w for w in (Search.Status.FAILED, Search.Status.CANCELLED) if w in words), Search.Status.FINISHED)
    else:
        word = Search.Status.RUNNING if Search.Status.RUNNING in words else next(iter(words - set(Search.ENDED)))
    return {"status": str(word), "progress": done / of if of else 0.0, "arms": arms}


def results(study: Study) -> dict[str, Any]:
    """Return the ranks of every estimate against the truth and against each other.

    The result is kept until an arm ends or has grown.
    """
    searches = sorted(study.searches.all(), key=lambda search: search.pk)
    return _results(study.pk, (study.created_at, tuple(map(coarse_state, searches))))


def coarse_state(search: Search) -> tuple[int, int, str, int]:
    """Return what changes with a search's scores: at each event up to `EXACT` networks, then at each `GROWTH`."""
    done = search.scored + search.failed
    exact = search.status in Search.ENDED or done <= EXACT
    return search.pk, search.epoch, search.status, search.event_seq if exact else int(log(done, GROWTH))


@lru_cache(maxsize=16)
def _results(study_id: int, _state: Hashable) -> dict[str, Any]:
    study = Study.objects.get(pk=study_id)
    searches = [search for search in study.searches.order_by("pk") if readable(search)]
    networks, columns, costs = _columns(searches)
    truth = next((column for column in columns if column.arm == TRUTH and not column.term), None)
    ranked = [column for column in columns if column.arm != TRUTH]
    known = (
        None if truth is None or not searches else KnownTruths(spaces.of_search(searches[0]), networks, costs, truth)
    )
    return {
        "networks": len(networks),
        "truth_known": 0 if truth is None else int(np.isfinite(truth.scores).sum()),
        "resamples": RESAMPLES,
        "resampled": min(len(networks), MOST_RESAMPLED),
        "estimates": [_estimate(column, known) for column in ranked],
        "baselines": [] if known is None else known.among(np.isfinite(known.truth)).rows(),
        "agreement": _agreement(ranked if truth is None else [*ranked, truth]),
        "groups": [] if truth is None else _groups(searches[0], networks, ranked, truth),
        "points": {
            "arch": networks,
            "truth": None if truth is None else _listed(truth.scores),
            "scores": [_listed(column.scores) for column in ranked],
        },
    }


def _columns(searches: Sequence[Search]) -> tuple[list[str], list[ScoreColumn], dict[str, Values]]:
    """Return all networks that any arm has finished, the columns of scores (NaN: not scored yet), and the `COSTS`."""
    rows: dict[str, dict[str, tuple[Any, ...]]] = {}
    costs: dict[str, tuple[Any, ...]] = {}
    for search in searches:
        terms = TERMS if search.configuration.estimator.has_mote_parts else ()
        done = Candidate.objects.filter(search=search, status__in=(Candidate.Status.SCORED, Candidate.Status.FAILED))
        found = done.order_by("number").values_list(
            "arch", *COSTS, "seconds", "score", *(f"evaluation__mote__{term}" for term in terms)
        )
        rows[search.arm] = {}
        for arch, *values in found:
            costs.setdefault(arch, tuple(values[: len(COSTS)]))
            rows[search.arm][arch] = tuple(values[len(COSTS) :])
    networks = list(costs)
    columns = []
    for arm, values_of in rows.items():
        width = max(map(len, values_of.values()), default=2)
        nothing = (np.nan,) * width
        table = np.array([values_of.get(arch, nothing) for arch in networks], dtype=np.float64).reshape(-1, width)
        spent = table[:, 0][np.isfinite(table[:, 0])]
        mean = float(spent.mean()) if len(spent) else 0.0
        for term, scores in zip(("", *TERMS), table.T[1:], strict=False):
            columns.append(ScoreColumn(arm, term, scores, mean))
    counted = np.array(list(costs.values()), dtype=np.float64).reshape(-1, len(COSTS))
    return networks, columns, dict(zip(COSTS, counted.T, strict=True))


class KnownTruths:
    """The baselines among networks of known truth; they are kept for each set of networks, which arms share."""

    def __init__(
        self, space: SearchSpace, networks: Sequence[str], costs: dict[str, Values], truth: ScoreColumn
    ) -> None:
        self.truth = truth.scores
        self._size = space.size
        self._counts = {**costs, "trained_layers": trained_layers(space, networks)}
        self._found: dict[bytes, Baselines] = {}

    def among(self, rows: Values) -> Baselines:
        """Return the baselines among the networks that ``rows`` marks, all of known truth."""
        key = rows.tobytes()
        if key not in self._found:
            counts = {name: values[rows] for name, values in self._counts.items()}
            self._found[key] = Baselines(self.truth[rows], counts, self._size)
        return self._found[key]


def _estimate(column: ScoreColumn, known: KnownTruths | None) -> dict[str, Any]:
    """Return the figures of a column; without a truth only the count of scored networks and their seconds are known."""
    scored = np.isfinite(column.scores)
    row = {"name": column.name, "arm": column.arm, "term": column.term, "seconds": column.seconds}
    row |= {"scored": int(scored.sum())}
    if known is None:
        nothing = dict.fromkeys(("tau", "spearman", "tau_best_tenth", "ndcg_top"))
        return row | nothing | {"constant": None, "baselines": [], "sentence": ""}
    both = scored & np.isfinite(known.truth)
    baselines = known.among(both)
    scores = column.scores[both]
    row["constant"] = constant(scores, known.truth[both])
    return row | baselines.figures(scores) | baselines.compared(f"“{column.name}”", scores)


def _agreement(columns: Sequence[ScoreColumn]) -> dict[str, Any]:
    """Return Kendall's tau of every pair of columns, on the networks that both have scored."""
    matrix: list[list[float | None]] = [[1.0] * len(columns) for _ in columns]
    for (i, one), (j, two) in combinations(enumerate(columns), 2):
        matrix[i][j] = matrix[j][i] = finite(_tau(one.scores, two.scores))
    return {"names": [column.name for column in columns], "tau": matrix}


def _groups(
    search: Search, networks: Sequence[str], columns: Sequence[ScoreColumn], truth: ScoreColumn
) -> list[dict[str, Any]]:
    """Return tau among the networks with an operation and among those without it, if both groups are large enough.

    Skip connections come first.
    """
    space = spaces.of_search(search)
    chosen = [_parts(space, arch) for arch in networks]
    found = []
    for part in sorted(set().union(*chosen), key=lambda part: (not is_skip(part), part)) if chosen else []:
        has = np.array([part in parts for parts in chosen])
        counts = [int((side & np.isfinite(truth.scores)).sum()) for side in (has, ~has)]
        if min(counts) < LEAST_IN_GROUP:
            continue
        taus = [
            {
                "name": column.name,
                "with": finite(_tau(column.scores[has], truth.scores[has])),
                "without": finite(_tau(column.scores[~has], truth.scores[~has])),
            }
            for column in columns
        ]
        found.append({"part": part, "with": counts[0], "without": counts[1], "estimates": taus})
    return found[:GROUPS]


@lru_cache(maxsize=REMEMBERED)
def _parts(space: SearchSpace, arch: str) -> frozenset[str]:
    """Return the operations in a network's labels; a label that joins several (``a__b``) holds each of them."""
    return frozenset(part for label in space.labels(space.from_string(arch)) for part in label.split("__"))


def _tau(one: Values, two: Values) -> float:
    both = np.isfinite(one) & np.isfinite(two)
    return kendall(one[both], two[both])


def _listed(values: Values) -> list[float | None]:
    return [value if isfinite(value) else None for value in values.tolist()]
