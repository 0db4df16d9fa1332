"""The pages that list, add and delete the user's own data sets, tables and spaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from engine.errors import ConfigError, DataError
from searches.forms.layout import CHAIN_EXAMPLE, CHAIN_HELP
from searches.forms.sources import DatasetForm, ImagesForm, SourceForm, SpaceForm, TableForm
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import tabular
from searches.services import sources
from searches.services.errors import ActionRefused


@dataclass(frozen=True)
class Room:
    """One of the three pages: its rows, its form, and the services that add and delete."""

    name: str
    model: Any
    form: type[SourceForm]
    field: str
    add: Callable[[Any, str, Any], Any]
    delete: Callable[[Any], None]


ROOMS = {
    "datasets": Room("datasets", Dataset, DatasetForm, "file", sources.add_dataset, sources.delete_dataset),
    "tables": Room("tables", Table, TableForm, "file", sources.add_table, sources.delete_table),
    "spaces": Room("spaces", SearchSpace, SpaceForm, "definition", sources.save_space, sources.delete_space),
}


@login_required
def source_list(request: HttpRequest, room: str) -> HttpResponse:
    """Show the rows and the form that adds one. A POST adds it, or shows errors at their fields and adds nothing."""
    place = ROOMS[room]
    form = place.form(initial={"definition": CHAIN_EXAMPLE})
    status = 200
    if request.method == "POST":
        form = place.form(request.POST, request.FILES)
        if form.is_valid() and added(place, form, request.user):
            messages.success(request, f"“{form.cleaned_data['name']}” was added.")
            return redirect(place.name)
        status = 422
    rows = place.model.objects.filter(owner=request.user)
    context = {"form": form, "rows": rows, "chain_help": CHAIN_HELP, "images": ImagesForm()}
    if room == "tables":
        user = request.user
        context |= {"benchmarks": tabular.every(user), "surrogates": tabular.surrogates(user)}
        context["manages"] = tabular.may_manage(user)
    return render(request, f"sources/{place.name}.html", context, status=status)


def added(place: Room, form: SourceForm, owner: Any) -> bool:
    """Add what the form holds. Return False if the service refuses it, which the form's errors explain."""
    try:
        place.add(owner, form.cleaned_data["name"], form.cleaned_data[place.field])
    except ConfigError as error:
        form.add_errors(error)
    except DataError as error:
        form.add_error(place.field, error.sentence)
    return form.is_valid()


@login_required
@require_POST
def source_delete(request: HttpRequest, room: str, row_id: int) -> HttpResponse:
    """Delete a row, or say why not."""
    place = ROOMS[room]
    row = get_object_or_404(place.model, pk=row_id, owner=request.user)
    try:
        place.delete(row)
        messages.success(request, f"“{row}” was deleted.")
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect(place.name)
