"""Writing proposals as rows: candidates, each with an evaluation that is known already or still to be made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from django.db import IntegrityError, transaction
from django.utils import timezone

from engine.algorithms.proposals import Proposal
from engine.estimate import Estimate
from engine.metrics import COST_NAMES
from searches.models import Candidate, Evaluation, Search
from searches.selectors.calibrations import latest
from searches.services import recording
from searches.services.resolving import Resolved

INSERTED_AT_ONCE = 500


@dataclass(frozen=True)
class Asked:
    """A proposal of a round, with its estimate if that was looked up."""

    round: int
    proposal: Proposal
    estimate: Estimate | None = None


def write(search: Search, resolved: Resolved, asked: Sequence[Asked]) -> list[Candidate]:
    """Write and return the candidates, and settle those whose evaluation is known.

    Counters change on ``search`` without being saved; the caller has locked its row. An evaluation that failed in
    another search is tried again, unless it was looked up.
    """
    if not asked:
        return []
    keys = [resolved.stages[item.proposal.stage].key(item.proposal.architecture) for item in asked]
    known = _evaluations(keys)
    fresh = {key: _evaluation(resolved, key, item) for key, item in zip(keys, asked, strict=True) if key not in known}
    evaluations = known | _insert(fresh)
    looked_up = {stage.identity for stage in resolved.stages if stage.inline}
    failed = [e for e in known.values() if e.status == Evaluation.Status.FAILED]
    try_again(e for e in failed if e.identity not in looked_up)
    now = timezone.now()
    constants = latest(search)
    candidates = []
    for key, item in zip(keys, asked, strict=True):
        candidate = _candidate(search, resolved, item)
        candidate.evaluation = evaluation = evaluations[key]
        if evaluation.status in (Evaluation.Status.DONE, Evaluation.Status.FAILED):
            candidate.from_cache = key in known
            recording.settle(search, candidate, evaluation, constants, now)
        elif evaluation.status == Evaluation.Status.LEASED:
            candidate.status = Candidate.Status.LEASED
        candidates.append(candidate)
    Candidate.objects.bulk_create(candidates, batch_size=INSERTED_AT_ONCE)
    search.asked += len(candidates)
    recording.choose_best(search, candidates)
    return candidates


def try_again(evaluations: Iterable[Evaluation]) -> None:
    """Make failed evaluations pending again."""
    clean = {"status": Evaluation.Status.PENDING, "attempts": 0, "error": "", "worker": "", "dispatched_at": None}
    evaluations = list(evaluations)
    if not evaluations:
        return
    for evaluation in evaluations:
        for name, value in clean.items():
            setattr(evaluation, name, value)
    Evaluation.objects.filter(pk__in=[e.pk for e in evaluations]).update(**clean)


def _evaluations(keys: Sequence[str]) -> dict[str, Evaluation]:
    rows = Evaluation.objects.select_for_update().filter(key__in=keys).defer("choices", "curves").order_by("pk")
    return {evaluation.key: evaluation for evaluation in rows}


def _insert(fresh: dict[str, Evaluation]) -> dict[str, Evaluation]:
    """Insert evaluations in the order of their keys, so that two searches that insert the same ones cannot deadlock.

    Rows are read again only if another search inserted some of them first.
    """
    if not fresh:
        return {}
    rows = [fresh[key] for key in sorted(fresh)]
    try:
        with transaction.atomic():
            Evaluation.objects.bulk_create(rows, batch_size=INSERTED_AT_ONCE)
    except IntegrityError:
        for row in rows:
            row.pk = None  # the insertion was rolled back
        Evaluation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=INSERTED_AT_ONCE)
        return _evaluations(list(fresh))
    return fresh


def _evaluation(resolved: Resolved, key: str, item: Asked) -> Evaluation:
    architecture = item.proposal.architecture
    stage = resolved.stages[item.proposal.stage]
    evaluation = Evaluation(
        key=key,
        space_hash=architecture.space,
        choices=list(architecture.choices),
        arch=resolved.space.to_string(architecture),
        estimator=stage.options.kind,
        identity=stage.identity,
        seed=stage.options.seed,
    )
    if item.estimate is not None:
        recording.finish(evaluation, item.estimate)
    return evaluation


def _candidate(search: Search, resolved: Resolved, item: Asked) -> Candidate:
    proposal = item.proposal
    costs = resolved.problem.costs(proposal.architecture)
    known = {name: costs[name] for name in COST_NAMES if name in costs and isfinite(costs[name])}
    return Candidate(
        search=search,
        number=proposal.number,
        round=item.round,
        choices=list(proposal.architecture.choices),
        arch=resolved.space.to_string(proposal.architecture),
        origin=proposal.origin,
        layer=proposal.layer,
        bucket=proposal.bucket,
        parent_number=proposal.parent,
        stage=proposal.stage,
        feasible=resolved.problem.feasible(proposal.architecture),
        **known,
    )
