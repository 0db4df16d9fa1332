"""What is left of a search's budget, and why it ended."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum

from engine.loop import BudgetMeter
from searches.models import Candidate, Search


def meter(search: Search) -> BudgetMeter:
    """The budget with all that was asked and charged so far."""
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


def end(search: Search, cut: bool = False) -> tuple[Search.Status, str]:
    """Status and reason of a search that asks no more; ``cut``: the next trial's seconds would exceed the budget."""
    if not search.scored:
        last = search.candidates.filter(status=Candidate.Status.FAILED).order_by("-number").first()
        if last is None:
            return Search.Status.FAILED, "the algorithm found no network to propose; widen the limits"
        return Search.Status.FAILED, f"all {search.failed} networks failed; the last one: {last.error}"
    status, reason = _spent(search, cut)
    if search.finals:
        reason += f"; the best of {search.finals} finalists by their final scores wins"
    return status, reason


def _spent(search: Search, cut: bool) -> tuple[Search.Status, str]:
    if search.budget_evaluations is not None and search.asked >= search.budget_evaluations:
        return Search.Status.FINISHED, f"budget of {search.budget_evaluations} evaluations spent"
    if search.budget_seconds is not None and (cut or search.charged_seconds >= search.budget_seconds):
        return Search.Status.FINISHED, f"budget of {search.budget_seconds:g} seconds spent"
    return Search.Status.FINISHED, "every network within reach was scored"
