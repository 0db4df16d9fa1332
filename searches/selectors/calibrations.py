"""What scores of a search were at any round: as estimated, or read with the constants that were in force then."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from django.db.models import Q

from engine.algorithms.base import Proposal
from engine.mote import BoxCox, Constants
from engine.space import SearchSpace
from searches.models import Calibration, Candidate, Evaluation, Search

TERMS = ("stage", "evaluation__score", "evaluation__mote__landscape", "evaluation__mote__speed")
"""Columns of a candidate that `Calibrations.score` reads."""
NETWORK = ("number", "choices", "origin", "layer", "bucket", "parent_number")


def constants(calibration: Calibration) -> Constants:
    """The engine's form."""
    landscape = BoxCox(calibration.landscape_lam, calibration.landscape_std)
    speed = BoxCox(calibration.speed_lam, calibration.speed_std)
    return Constants(landscape, speed, f"fitted to {calibration.networks} networks of this search")


def latest(search: Search) -> Constants | None:
    """The constants that a search reads its scores with now; None where evaluations are read as they are."""
    if search.config["estimator"]["kind"] != "mote":
        return None
    last = search.calibrations.order_by("-round").first()
    return None if last is None else constants(last)


def current_score(given: Constants | None, candidate: Candidate, evaluation: Evaluation) -> float | None:
    """A finished evaluation's score, read with the `latest` constants of the candidate's search."""
    if given is None or evaluation.estimator != "mote" or candidate.stage or evaluation.score is None:
        return evaluation.score
    return _read(given, evaluation.terms["landscape"], evaluation.terms["speed"])


class Calibrations:
    """All of a search, in order."""

    def __init__(self, search: Search) -> None:
        rows = list(search.calibrations.order_by("round"))
        self.rounds = [row.round for row in rows]
        """After which rounds there was one."""
        self._constants = [constants(row) for row in rows]

    def score(self, row: Any, told: int) -> float | None:
        """The score of a candidate, given with `TERMS` in names, as it was when round ``told`` was told."""
        before = bisect_left(self.rounds, told)
        if row.evaluation__score is None or row.evaluation__mote__landscape is None or row.stage or not before:
            return row.evaluation__score
        return _read(self._constants[before - 1], row.evaluation__mote__landscape, row.evaluation__mote__speed)

    def networks(self, search: Search, space: SearchSpace, told: int) -> list[tuple[Proposal, float]]:
        """All networks scored up to a round, by number, with the scores that hold right after it."""
        rows = search.candidates.networks().filter(status=Candidate.Status.SCORED, round__lte=told)
        rows = rows.filter(Q(revived_round=None) | Q(revived_round__lte=told)).order_by("number")
        found = []
        for row in rows.values_list(*NETWORK, *TERMS, named=True):
            score = self.score(row, told + 1)
            if score is not None:
                place = (row.origin, row.layer, row.bucket, row.parent_number)
                found.append((Proposal(row.number, space.architecture(row.choices), *place), score))
        return found


def _read(given: Constants, landscape: float, speed: float) -> float:
    return float(given.mote(landscape, speed))
