"""Recording the outcome of evaluations once, for every candidate of every search that waits for them.

Rows are locked in one order everywhere: first searches by number, then evaluations by number. So writers cannot
deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from math import isfinite
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.calibration import Constants
from engine.config.search import Objective
from engine.estimate import Estimate
from engine.ranking import Rank, rank_by_score
from engine.registry import ESTIMATORS
from searches import events
from searches.models import Candidate, Evaluation, MoteScore, Search
from searches.selectors.calibrations import current_score, latest
from searches.services import dispatching

WAITING = (Candidate.Status.PROPOSED, Candidate.Status.LEASED)
OUTCOME = ["status", "error", "score", "valid_accuracy", "truth", "seconds", "scored_at", "from_cache"]
FINISHED = ["status", "error", "score", "terms", "curves", "setup", "seconds", "device", "fidelity"]
FINISHED += ["lease_until", "finished_at"]
COUNTERS = ["asked", "scored", "finals", "failed", "from_cache", "feasible", "charged_seconds", "best"]
MOTE_CURVES = ("epoch_losses", "landscape_losses")
NOT_A_NUMBER = "the score is not a number: the network's loss overflowed; try other training options"


@dataclass(frozen=True)
class Result:
    """The outcome of a lease, identified by its evaluation and attempt.

    ``options`` are those of the estimator; they are needed only if there is a score.
    """

    evaluation_id: int
    attempts: int
    estimate: Estimate
    options: Mapping[str, Any] = field(default_factory=dict)


def record(evaluation_id: int, attempts: int, estimate: Estimate, options: Mapping[str, Any] | None = None) -> bool:
    """Record one result as `record_all` does and return whether its lease was still valid."""
    return record_all([Result(evaluation_id, attempts, estimate, options or {})]) == 1


def record_all(results: Sequence[Result]) -> int:
    """Record the results whose leases are still valid and return their number.

    One transaction writes the evaluations, their candidates, and the counters and events of all searches. When a search
    waits for nothing more, it is advanced.
    """
    of = {result.evaluation_id: result for result in results}
    known: set[int] = set()
    while of:
        with transaction.atomic():
            known |= set(_waiting(of).values_list("search_id", flat=True))
            searches = {s.pk: s for s in Search.objects.select_for_update().filter(pk__in=known).order_by("pk")}
            rows = Evaluation.objects.filter(pk__in=of, status=Evaluation.Status.LEASED).order_by("pk")
            leased = [row for row in rows.select_for_update() if row.attempts == of[row.pk].attempts]
            candidates = list(_waiting([row.pk for row in leased]))
            if all(candidate.search_id in searches for candidate in candidates):
                for evaluation in leased:
                    _write(evaluation, of[evaluation.pk])
                evaluations = {row.pk: row for row in leased}
                for search_id, members in groupby(candidates, key=attrgetter("search_id")):
                    _settle_all(searches[search_id], list(members), evaluations)
                return len(leased)
    return 0


def _write(evaluation: Evaluation, result: Result) -> None:
    finish(evaluation, result.estimate)
    evaluation.save(update_fields=FINISHED)
    parts = ESTIMATORS[evaluation.estimator].options.has_mote_parts
    if parts and evaluation.score is not None and result.options:
        store_mote(evaluation, result.estimate, result.options)


def _settle_all(search: Search, candidates: Sequence[Candidate], evaluations: Mapping[int, Evaluation]) -> None:
    """Save the candidates of finished evaluations, and the changes to their search."""
    now = timezone.now()
    constants = latest(search)
    for candidate in candidates:
        settle(search, candidate, evaluations[candidate.evaluation_id], constants, now)
        candidate.save(update_fields=OUTCOME)
    choose_best(search, candidates)
    search.save(update_fields=COUNTERS)
    events.record(search, entries(candidates))
    _follow_up(search)


def finish(evaluation: Evaluation, estimate: Estimate) -> None:
    """Copy an estimate into its evaluation without saving it; a score that is not a finite number is a failure."""
    failed = estimate.score is None or not isfinite(estimate.score)
    evaluation.status = Evaluation.Status.FAILED if failed else Evaluation.Status.DONE
    evaluation.error = (estimate.error or NOT_A_NUMBER) if failed else ""
    evaluation.score = None if failed else estimate.score
    evaluation.terms = {name: value if isfinite(value) else None for name, value in estimate.terms.items()}
    stored_apart = MOTE_CURVES if ESTIMATORS[evaluation.estimator].options.has_mote_parts else ()
    evaluation.curves = {name: _finite(series) for name, series in estimate.curves.items() if name not in stored_apart}
    evaluation.setup = dict(estimate.setup)
    evaluation.seconds = estimate.seconds
    evaluation.device = estimate.device
    evaluation.fidelity = estimate.fidelity
    evaluation.lease_until = None
    evaluation.finished_at = timezone.now()


def settle(
    search: Search,
    candidate: Candidate,
    evaluation: Evaluation,
    constants: Constants | None,
    now: datetime | None = None,
) -> None:
    """Copy a finished evaluation to a candidate and count it in its search, without saving either.

    ``constants`` are `calibrations.latest` of the search, read once for all of its candidates.
    """
    failed = evaluation.status == Evaluation.Status.FAILED
    candidate.status = Candidate.Status.FAILED if failed else Candidate.Status.SCORED
    candidate.error = evaluation.error
    candidate.score = current_score(constants, candidate, evaluation)
    candidate.valid_accuracy = evaluation.terms.get("valid_accuracy")
    candidate.truth = evaluation.terms.get("truth")
    candidate.seconds = evaluation.seconds
    candidate.scored_at = now or timezone.now()
    search.failed += failed
    search.scored += not failed and not candidate.stage
    search.finals += not failed and bool(candidate.stage)
    search.feasible += candidate.feasible and not failed and not candidate.stage
    search.from_cache += candidate.from_cache
    search.charged_seconds += evaluation.seconds


def choose_best(search: Search, candidates: Iterable[Candidate]) -> None:
    """Make the best feasible network (`engine.ranking`) the search's best, without saving the search.

    ``candidates`` are those that were scored or failed since the last call. Final scores among them are saved on their
    networks.
    """
    candidates = list(candidates)
    ranked = [c for c in candidates if not c.stage and c.feasible and c.score is not None]
    ranked += _finalists(search, [c for c in candidates if c.stage and c.feasible and c.score is not None])
    if ranked and search.best is not None:
        ranked.append(search.best)
    if ranked:
        search.best = min(ranked, key=partial(_rank, search.configuration.objective))


def choose_best_again(search: Search) -> None:
    """Choose the best network again after scores changed; the caller saves it with the search's counters."""
    networks = search.candidates.networks().filter(feasible=True, score__isnull=False)
    search.best = min(networks, key=partial(_rank, search.configuration.objective), default=None)


def _finalists(search: Search, finals: Sequence[Candidate]) -> list[Candidate]:
    """Return the networks of these finalists, with their final scores saved."""
    if not finals:
        return []
    scores = {final.parent_number: final.score for final in finals if final.parent_number is not None}
    networks = list(search.candidates.networks().filter(number__in=scores))
    for network in networks:
        network.final_score = scores[network.number]
    Candidate.objects.bulk_update(networks, ["final_score"])
    return networks


def _rank(objective: Objective, network: Candidate) -> Rank:
    cost = getattr(network, objective.cost_metric, None)
    return rank_by_score(network.number, network.score or 0.0, cost, objective.size_exponent, network.final_score)


def entries(candidates: Sequence[Candidate]) -> list[events.Entry]:
    """Return the events of candidates that were scored or failed; a finalist's event names its network."""
    failed = [c for c in candidates if c.status == Candidate.Status.FAILED]
    shown = [events.failure(c.number, c.arch, c.error) for c in failed]
    numbers = [c.parent_number if c.stage and c.parent_number is not None else c.number for c in candidates]
    return [events.candidates(numbers), *shown] if candidates else []


def store_mote(evaluation: Evaluation, estimate: Estimate, options: Mapping[str, Any]) -> None:
    """Save the parts of a MOTE score."""
    parts: dict[str, Any] = {name: options[name] for name in ("profile", "time_model")}
    parts |= {name: estimate.terms[name] for name in ("landscape", "speed", "time_seconds", "train_seconds")}
    parts |= {name: _finite(estimate.curves.get(name, ())) for name in MOTE_CURVES}
    MoteScore.objects.update_or_create(evaluation=evaluation, defaults=parts)


def is_waiting(search: Search) -> bool:
    """Return whether the search waits for a result before it can go on, pause or stop."""
    halting = search.status in (Search.Status.PAUSING, Search.Status.STOPPING)
    statuses = (Candidate.Status.LEASED,) if halting else WAITING
    return search.candidates.filter(status__in=statuses).exists()


def to_score(search: Search) -> QuerySet[Evaluation]:
    """Return the evaluations that the search waits for and nobody scores, by candidate number."""
    pending = Evaluation.objects.filter(status=Evaluation.Status.PENDING)
    # One call, so that both conditions hold for the same candidate: other searches may wait for the same evaluation.
    mine = pending.filter(candidates__search=search, candidates__status__in=WAITING)
    return mine.order_by("candidates__number")


def _waiting(evaluation_ids: Iterable[int]) -> QuerySet[Candidate]:
    candidates = Candidate.objects.filter(evaluation__in=evaluation_ids, status__in=WAITING)
    return candidates.exclude(search__status=Search.Status.CANCELLED).order_by("search_id", "number")


def _follow_up(search: Search) -> None:
    if search.is_active and not is_waiting(search):
        dispatching.advance(search.pk)


def _finite(series: Iterable[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in series]
