"""Calibrating MOTE while a search runs: for spaces without published constants they are fitted to its own networks.

A calibration happens between two rounds, from `CALIBRATION_MINIMUM` connected networks on and whenever there are twice
as many as at the last one. Nothing is trained: scores are read anew from the stored terms, the algorithm takes them and
fills its buckets again. Scores and the best network change; pins, notes and tags, and the order in which pinned
candidates are listed (by number), do not. Evaluations stay as they are: other searches share them.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.mote import CALIBRATION_MINIMUM, LOSS_CEILING, PUBLISHED, SLICE_POINTS, calibrate, landscape_term
from searches import events
from searches.models import Calibration, Candidate, Search
from searches.selectors.calibrations import TERMS, Calibrations
from searches.services import recording
from searches.services.algorithm_state import Copy
from searches.services.resolving import Resolved

DISCONNECTED = landscape_term([LOSS_CEILING] * SLICE_POINTS)
"""The landscape term of networks that were not trained, because nothing of the image reaches their output."""
WRITTEN_AT_ONCE = 1_000


def calibrates(search: Search, resolved: Resolved, copy: Copy) -> bool:
    """Whether this search is calibrated as it goes."""
    own_constants = resolved.space.kind in PUBLISHED
    return resolved.stages[0].options.kind == "mote" and not own_constants and copy.algorithm.rescorable


def after_round(search: Search, resolved: Resolved, copy: Copy, told: int) -> None:
    """Calibrates if it is time; the row of the search is locked, ``told`` is the round that was told last."""
    if not calibrates(search, resolved, copy):
        return
    last = search.calibrations.order_by("-round").first()
    needed = CALIBRATION_MINIMUM if last is None else 2 * last.networks
    if search.scored < needed:
        return
    terms = _connected_terms(search, told)
    if len(terms) < needed:
        return
    try:
        fitted = calibrate([landscape for landscape, _ in terms], [speed for _, speed in terms])
    except ValueError:
        return  # all terms are equal: there is nothing to fit
    Calibration.objects.create(
        search=search, round=told, networks=len(terms),
        landscape_lam=fitted.landscape.lam, landscape_std=fitted.landscape.std,
        speed_lam=fitted.speed.lam, speed_std=fitted.speed.std,
    )  # fmt: skip
    networks = Calibrations(search).networks(search, resolved.space, told)
    copy.algorithm.rescore(networks)
    _write(search, {proposal.number: score for proposal, score in networks})
    recording.crown_anew(search)
    numbers = [proposal.number for proposal, _ in networks]
    told_of = [events.candidates(numbers[i : i + WRITTEN_AT_ONCE]) for i in range(0, len(numbers), WRITTEN_AT_ONCE)]
    events.record(search, [events.calibrated(len(terms), fitted), *told_of])


def undo(search: Search, reopened: int) -> None:
    """Takes back what was calibrated after a round that is open again; it will be time again when that is told."""
    if search.calibrations.filter(round__gte=reopened).delete()[0]:
        remaining = Calibrations(search)
        rows = search.candidates.networks().filter(status=Candidate.Status.SCORED)
        scores = {
            row.number: score
            for row in rows.values_list("number", *TERMS, named=True)
            if (score := remaining.score(row, reopened)) is not None
        }
        _write(search, scores)
        recording.crown_anew(search)


def _connected_terms(search: Search, told: int) -> list[tuple[float, float]]:
    rows = search.candidates.networks().filter(status=Candidate.Status.SCORED, round__lte=told)
    rows = rows.filter(evaluation__mote__landscape__gt=DISCONNECTED).order_by("number")
    return list(rows.values_list("evaluation__mote__landscape", "evaluation__mote__speed"))


def _write(search: Search, scores: Mapping[int, float]) -> None:
    """Puts scores on candidates, by number, and nothing else."""
    rows = list(search.candidates.networks().filter(number__in=scores).only("number"))
    for row in rows:
        row.score = scores[row.number]
    Candidate.objects.bulk_update(rows, ["score"], batch_size=WRITTEN_AT_ONCE)
