"""The pages of searches, candidates and comparisons. Their numbers come from the REST API."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from engine.metrics import METRICS
from engine.registry import ALGORITHMS, ESTIMATORS
from searches.examples import EXAMPLES
from searches.models import Candidate, Search
from searches.selectors import comparison
from searches.selectors.columns import LESS_IS_BETTER, MORE_IS_BETTER

PLOTTED = {"cost_axes": LESS_IS_BETTER, "score_axes": MORE_IS_BETTER}
AXES = (("metric", "X"), ("value", "Y"))
KIND_LABELS = {kind: entry.label for kind, entry in (*ALGORITHMS.items(), *ESTIMATORS.items())}


@cache
def modules(*folders: str) -> list[str]:
    """Return the scripts in these folders of ``static/js``. A page names them all, so that they load together."""
    root = settings.BASE_DIR / "static"
    return [str(path.relative_to(root)) for folder in folders for path in sorted((root / "js" / folder).glob("*.js"))]


@login_required
def search_list(request: HttpRequest) -> HttpResponse:
    """Show all searches of the user."""
    context = {"statuses": Search.Status.values, "examples": EXAMPLES, "kind_labels": KIND_LABELS}
    return render(request, "searches/list.html", context)


@login_required
def search_detail(request: HttpRequest, search_id: int) -> HttpResponse:
    """Show one search, live."""
    search = get_object_or_404(Search, pk=search_id, owner=request.user)
    context = {"search": search, "candidate_statuses": Candidate.Status.values, "kind_labels": KIND_LABELS}
    labelled = {name: [(column, METRICS[column].label) for column in columns] for name, columns in PLOTTED.items()}
    context |= {"axes": AXES, "modules": modules("core", "search"), **labelled}
    return render(request, "searches/detail.html", context)


@login_required
def candidate_detail(request: HttpRequest, candidate_id: int) -> HttpResponse:
    """Show one network."""
    candidates = Candidate.objects.select_related("search")
    candidate = get_object_or_404(candidates, pk=candidate_id, search__owner=request.user)
    return render(request, "searches/candidate.html", {"candidate": candidate, "kind_labels": KIND_LABELS})


@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """Compare the searches that the address names."""
    return render(request, "searches/compare.html", {"kind_labels": KIND_LABELS, "most": comparison.MOST})


@login_required
def candidate_against(request: HttpRequest, candidate_id: int) -> HttpResponse:
    """Redirect from the number of another candidate of the same search to the page that compares both."""
    candidate = get_object_or_404(Candidate, pk=candidate_id, search__owner=request.user)
    number = request.GET.get("number", "").strip()
    other = candidate.search.candidates.filter(number=int(number)).first() if number.isdecimal() else None
    if other is None:
        messages.error(request, f"The search has no candidate {number or 'without a number'}; give one from its table.")
        return redirect("candidate", candidate.pk)
    return redirect("difference", candidate.pk, other.pk)


@login_required
def candidate_difference(request: HttpRequest, candidate_id: int, other_id: int) -> HttpResponse:
    """Compare two networks."""
    mine = Candidate.objects.select_related("search").filter(search__owner=request.user.pk)
    candidate, other = (get_object_or_404(mine, pk=pk) for pk in (candidate_id, other_id))
    return render(request, "searches/difference.html", {"candidate": candidate, "other": other})
