"""The budget of a search: what is left of it, and the reason in words when the search ends."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum

from engine.rounds import BudgetMeter, Ended
from searches.models import Candidate, Search


def meter(search: Search) -> BudgetMeter:
    """Return a meter of the budget that has counted everything asked and charged so far."""
    final = search.configuration.final
    spent: dict[str, Any] = {"final_trials": 0, "final_charged": 0.0}
    if final is not None:
        finals = search.candidates.finals().aggregate(trials=Count("id"), charged=Sum("seconds"))
        spent = {f"final_{name}": value or 0 for name, value in finals.items()}
    return BudgetMeter(
        search.budget_evaluations,
        search.budget_seconds,
        trials=search.asked,
        charged=search.charged_seconds,
        final=final,
        **spent,
    )


def end(search: Search, ended: Ended) -> tuple[Search.Status, str]:
    """Return the status of a search that asks for no more trials, and the reason in words."""
    if not search.scored:
        last = search.candidates.filter(status=Candidate.Status.FAILED).order_by("-number").first()
        if last is None:
            return Search.Status.FAILED, "the algorithm found no network to propose; widen the limits"
        return Search.Status.FAILED, f"all {search.failed} networks failed; the last one: {last.error}"
    reason = _spent(search, ended)
    if search.finals:
        reason += f"; the best of {search.finals} finalists by their final scores wins"
    return Search.Status.FINISHED, reason


def _spent(search: Search, ended: Ended) -> str:
    if ended is Ended.EVALUATIONS:
        return f"budget of {search.budget_evaluations} evaluations spent"
    if ended is Ended.SECONDS:
        return f"budget of {search.budget_seconds:g} seconds spent"
    return "the algorithm has no more networks to propose"
