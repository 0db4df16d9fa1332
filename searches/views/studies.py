"""The pages of studies; their numbers come from the REST API."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from engine.errors import ConfigError
from searches.forms.studies import StudyForm
from searches.selectors import studies as selector
from searches.services import ablations, studies
from searches.views.lookahead import time_in_words


@login_required
def study_list(request: HttpRequest) -> HttpResponse:
    """Show the user's studies and the form that starts one. A POST starts it, or shows the time that it will take."""
    if request.method == "POST":
        form = StudyForm(request.user, request.POST)
        if form.is_valid():
            try:
                if "forecast" in request.POST:
                    ahead = ablations.forecast(request.user, form.config)
                    shown = {**ahead, "time_label": time_in_words(ahead["total_seconds"])}
                    return render(request, "studies/list.html", {"form": form, "forecast": shown})
                return redirect("study", studies.create(request.user, form.config).pk)
            except ConfigError as error:
                form.add_errors(error)
        return render(request, "studies/list.html", {"form": form}, status=422)
    initial = {"search": request.GET.get("search"), "estimates": request.GET.getlist("estimate") or ["mote"]}
    return render(request, "studies/list.html", {"form": StudyForm(request.user, initial=initial)})


@login_required
def study_detail(request: HttpRequest, study_id: int) -> HttpResponse:
    """Show one study, live."""
    study = get_object_or_404(selector.owned(request.user), pk=study_id)
    return render(request, "studies/detail.html", {"study": study})
