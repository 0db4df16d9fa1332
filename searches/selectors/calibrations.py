"""The scores of a search at any round: as estimated, or computed with the constants that were in force then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import isfinite
from typing import Any

from django.db.models import Q

from engine.algorithms.proposals import Proposal
from engine.calibration import Constants, joint_of
from engine.registry import ESTIMATORS
from engine.space import SearchSpace
from searches.models import Calibration, Candidate, Evaluation, Search

NETWORK = ("number", "choices", "origin", "layer", "bucket", "parent_number")


def constants(search: Search, calibration: Calibration) -> Constants:
    """Return the constants of a calibration as the engine reads them."""
    source = f"fitted to {calibration.networks} networks of this search after round {calibration.round + 1}"
    joint = joint_of(search.configuration.estimator.kind)
    assert joint is not None  # the search has a calibration
    return joint.constants(search.configuration.space.kind, calibration.constants, source)


def latest(search: Search) -> Constants | None:
    """Return the constants that the search's scores are computed with now, or None if estimates count as they are."""
    if joint_of(search.configuration.estimator.kind) is None:
        return None
    last = search.calibrations.order_by("-round").first()
    return None if last is None else constants(search, last)


def current_score(given: Constants | None, candidate: Candidate, evaluation: Evaluation) -> float | None:
    """Return the score of a finished evaluation, computed with the `latest` constants of the candidate's search."""
    return score_of(None if candidate.stage else given, evaluation.terms, evaluation.score)


def score_of(given: Constants | None, terms: Mapping[str, Any], estimated: float | None) -> float | None:
    """Return the score of a network for its stored terms under the given constants; None: as estimated."""
    return estimated if given is None or estimated is None else _read(given, terms, estimated)


def terms(candidate: Candidate) -> dict[str, float | None]:
    """Return a candidate's terms, in which the joint is the candidate's score, whatever constants the worker used."""
    evaluation: Evaluation = candidate.evaluation
    joint = ESTIMATORS[evaluation.estimator].options.joint
    if joint not in evaluation.terms:
        return dict(evaluation.terms)
    return {**evaluation.terms, joint: candidate.score}


def source(candidate: Candidate) -> str | None:
    """Return where the constants of a candidate's score come from, in words, or None if there are none."""
    search = candidate.search
    joint = joint_of(candidate.evaluation.estimator)
    if joint is None:
        return None
    given = None if candidate.stage else latest(search)
    return (given or joint.begins(search.configuration.space.kind)).source


class Calibrations:
    """All calibrations of a search, in order."""

    def __init__(self, search: Search) -> None:
        rows = list(search.calibrations.order_by("round"))
        self.rounds = [row.round for row in rows]
        """The rounds after which there was a calibration."""
        self.columns = ("stage", "evaluation__score", *(("evaluation__terms",) if rows else ()))
        """The columns of a candidate that `score` reads."""
        self._constants = [constants(search, row) for row in rows]

    def score(self, row: Any, told: int) -> float | None:
        """Return the score of a candidate when round ``told`` was told; ``row`` has the names of `columns`."""
        before = bisect_left(self.rounds, told)
        if row.evaluation__score is None or row.stage or not before:
            score: float | None = row.evaluation__score
            return score
        return _read(self._constants[before - 1], row.evaluation__terms, row.evaluation__score)

    def networks(self, search: Search, space: SearchSpace, told: int) -> list[tuple[Proposal, float]]:
        """Return all networks scored up to a round, by number, with the scores that are valid right after it."""
        rows = search.candidates.networks().filter(status=Candidate.Status.SCORED, round__lte=told)
        rows = rows.filter(Q(revived_round=None) | Q(revived_round__lte=told)).order_by("number")
        found = []
        for row in rows.values_list(*NETWORK, *self.columns, named=True):
            score = self.score(row, told + 1)
            if score is not None:
                place = (row.origin, row.layer, row.bucket, row.parent_number)
                found.append((Proposal(row.number, space.architecture(row.choices), *place), score))
        return found


def _read(given: Constants, terms: Mapping[str, Any], estimated: float) -> float:
    """Return the joint of stored terms, or the estimate if a term was not a finite number and so was not stored."""
    score = given.read(terms)
    return score if isfinite(score) else estimated
