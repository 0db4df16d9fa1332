"""The pages of full trainings; their numbers come from the REST API."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from searches.models import Training
from searches.selectors import trainings


@login_required
def training_list(request: HttpRequest) -> HttpResponse:
    """Show all full trainings of the user."""
    return render(request, "trainings/list.html", {"statuses": Training.Status.values})


@login_required
def training_detail(request: HttpRequest, training_id: int) -> HttpResponse:
    """Show one full training, live."""
    training = get_object_or_404(trainings.owned(request.user), pk=training_id)
    return render(request, "trainings/detail.html", {"training": training})
