"""Calibrating MOTE and MOTE+ while a search runs: constants that a space lacks are fitted to the search's networks.

A calibration happens between two rounds, first at `engine.calibration.MINIMUM` connected networks and then whenever
their number has doubled. Nothing is trained: scores are computed again from the stored terms, and the algorithm fills
its buckets again with them. The scores and the best network change. Pins, notes and tags do not change, nor does the
order in which pinned candidates are listed (by number). Evaluations do not change either: other searches share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import calibration
from engine.calibration import Joint, joint_of
from searches import events
from searches.models import Calibration, Candidate, Search
from searches.selectors.calibrations import Calibrations
from searches.services import recording
from searches.services.algorithm_state import Copy
from searches.services.resolving import Resolved

WRITTEN_AT_ONCE = 1_000


def calibrates(resolved: Resolved, copy: Copy) -> Joint | None:
    """Return the joint that is calibrated during the search, or None."""
    joint = joint_of(resolved.stages[0].options.kind)
    if joint is None or joint.has_own(resolved.space.kind) or not copy.algorithm.rescorable:
        return None
    return joint


def after_round(search: Search, resolved: Resolved, copy: Copy, told: int) -> None:
    """Calibrate if it is time; the row of the search is locked, and ``told`` is the round that was told last."""
    joint = calibrates(resolved, copy)
    if joint is None:
        return
    last = search.calibrations.order_by("-round").first()
    needed = calibration.MINIMUM if last is None else 2 * last.networks
    if search.scored < needed:
        return
    population = [terms for terms in _terms(search, told) if joint.connected(terms)]
    if len(population) < needed:
        return
    try:
        fitted = joint.fit(population)
    except ValueError:
        return  # all terms are equal: there is nothing to fit
    Calibration.objects.create(search=search, round=told, networks=len(population), constants=fitted)
    networks = Calibrations(search).networks(search, resolved.space, told)
    copy.algorithm.rescore(networks)
    _write(search, {proposal.number: score for proposal, score in networks})
    recording.choose_best_again(search)
    numbers = [proposal.number for proposal, _ in networks]
    told_of = [events.candidates(numbers[i : i + WRITTEN_AT_ONCE]) for i in range(0, len(numbers), WRITTEN_AT_ONCE)]
    events.record(search, [events.calibrated(joint.label, len(population), fitted), *told_of])


def undo(search: Search, reopened: int) -> None:
    """Undo the calibrations that followed a round which is open again; they are due again once it is told."""
    if search.calibrations.filter(round__gte=reopened).delete()[0]:
        remaining = Calibrations(search)
        rows = search.candidates.networks().filter(status=Candidate.Status.SCORED)
        scores = {
            row.number: score
            for row in rows.values_list("number", *remaining.columns, named=True)
            if (score := remaining.score(row, reopened)) is not None
        }
        _write(search, scores)
        recording.choose_best_again(search)


def _terms(search: Search, told: int) -> list[dict[str, Any]]:
    rows = search.candidates.networks().filter(status=Candidate.Status.SCORED, round__lte=told).order_by("number")
    return list(rows.values_list("evaluation__terms", flat=True))


def _write(search: Search, scores: Mapping[int, float]) -> None:
    """Save scores, given by candidate number, and nothing else."""
    rows = list(search.candidates.networks().filter(number__in=scores).only("number"))
    for row in rows:
        row.score = scores[row.number]
    Candidate.objects.bulk_update(rows, ["score"], batch_size=WRITTEN_AT_ONCE)
