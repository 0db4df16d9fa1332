"""The pages that measure, upload, show, cancel and delete latency tables, and measuring from the search form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from engine.config.latency import LatencyRequest
from engine.errors import ConfigError, DataError
from searches.forms.latencies import LatencyUploadForm, MeasureForm
from searches.forms.search import SearchForm
from searches.models import LatencyTable
from searches.selectors import latencies as selectors
from searches.services import latencies
from searches.services.errors import ActionRefused
from searches.views import create

SLOWEST = 50


@login_required
def latency_list(request: HttpRequest) -> HttpResponse:
    """Show the tables, a form that measures one and a form that uploads one, with errors at their fields."""
    measure = MeasureForm(request.user)
    upload = LatencyUploadForm()
    status = 200
    if request.method == "POST":
        uploads = "file" in request.FILES or request.POST.get("do") == "upload"
        if uploads:
            upload = LatencyUploadForm(request.POST, request.FILES)
            row = _upload(request, upload)
        else:
            measure = MeasureForm(request.user, request.POST)
            row = _measure(request, measure)
        if row is not None:
            return redirect("latency-table", row.pk)
        status = 422
    context = {"form": measure, "upload": upload, **_rows(request)}
    return render(request, "sources/latencies.html", context, status=status)


@login_required
def latency_rows(request: HttpRequest) -> HttpResponse:
    """Return the list alone (an htmx partial), which the page asks for again while something is being measured."""
    return render(request, "sources/partials/latency_rows.html", _rows(request))


@login_required
def latency_detail(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show one table; with ``?part=1`` only the part that changes (an htmx partial)."""
    row = _row(request, row_id)
    slowest = sorted(row.entries.items(), key=lambda entry: -entry[1])[:SLOWEST]
    context = {"row": row, "slowest": slowest, "kinds": selectors.by_operation(row.entries), "most": SLOWEST}
    part = "part" in request.GET
    return render(request, f"sources/{'partials/latency' if part else 'latency'}.html", context)


@login_required
@require_POST
def latency_cancel(request: HttpRequest, row_id: int) -> HttpResponse:
    """End a measurement, or say that it has ended."""
    row = _row(request, row_id)
    try:
        latencies.cancel(row)
        messages.success(request, f"“{row}” is no longer measured.")
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect("latency-table", row.pk)


@login_required
@require_POST
def latency_delete(request: HttpRequest, row_id: int) -> HttpResponse:
    """Delete a table, or say why not."""
    row = _row(request, row_id)
    try:
        latencies.delete_table(row)
        messages.success(request, f"“{row}” was deleted.")
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect("latency-tables")


@login_required
@require_POST
def latency_for_search(request: HttpRequest) -> HttpResponse:
    """Measure a table for what the search form holds, and offer it in the form (an htmx partial)."""
    form, config = create.read(request)
    context: dict[str, Any] = {"problem": "Choose a search space and data first: " + _first(form)}
    if config is not None:
        size: dict[str, Any] | None = {} if config.dataset is None else None
        document = {"space": config.space.model_dump(), "dataset": config.dataset and config.dataset.model_dump()}
        try:
            row = latencies.measure_table(request.user, LatencyRequest.parse(document | {"input": size}))
            shown = {"objective": {**config.objective.model_dump(), "latency_table": row.pk, "constraints": []}}
            chooser = SearchForm(request.user, document=shown)["objective.latency_table"]
            chooser.field.widget.attrs["hx-swap-oob"] = "true"
            context = {"row": row, "chooser": chooser}
        except ConfigError as error:
            context = {"problem": str(error)}
    return render(request, "searches/partials/latency.html", context)


@login_required
def latency_for_search_progress(request: HttpRequest, row_id: int) -> HttpResponse:
    """Return how far that measurement is (an htmx partial)."""
    return render(request, "searches/partials/latency.html", {"row": _row(request, row_id)})


def _row(request: HttpRequest, row_id: int) -> LatencyTable:
    return get_object_or_404(LatencyTable, pk=row_id, owner=request.user)


def _rows(request: HttpRequest) -> dict[str, Any]:
    rows = list(LatencyTable.objects.filter(owner=request.user.pk).defer("entries"))
    return {"rows": rows, "measuring": any(row.is_open for row in rows)}


def _upload(request: HttpRequest, form: LatencyUploadForm) -> LatencyTable | None:
    if form.is_valid():
        try:
            return latencies.add_table(request.user, form.cleaned_data["name"], form.cleaned_data["file"])
        except DataError as error:
            form.add_error("file", error.sentence)
    return None


def _measure(request: HttpRequest, form: MeasureForm) -> LatencyTable | None:
    if form.is_valid() and form.request is not None:
        try:
            return latencies.measure_table(request.user, form.request)
        except ConfigError as error:
            form.add_errors(error)
    return None


def _first(form: SearchForm) -> str:
    return next((f"{label}: {message}" for _, label, message in create.complaints(form)), "something is missing")
