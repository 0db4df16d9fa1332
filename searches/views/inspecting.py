"""The pages of one source: a data set's images and classes, a space's layers and costs, a table's columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engine.blueprint import InputSpec
from engine.errors import ConfigError, DataError, EngineError
from engine.metrics import title
from engine.tabular_benchmarks import TABULAR_BENCHMARKS
from searches.forms.sources import ImagesForm, SpaceForm
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import datasets, spaces, table_contents
from searches.services import sources, tabular_files
from searches.services.errors import ActionRefused

CLASSES_A_PAGE = 20
ACTIONS: dict[str, Callable[[Any, str], Any]] = {
    "read": tabular_files.read,
    "cancel": tabular_files.cancel,
    "forget": tabular_files.forget,
}
BAR = 100
"""Width of a full bar of the class balance, in SVG units."""


@login_required
def dataset_detail(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show uploaded images: samples of every class, class balance, splits and preprocessing."""
    row = get_object_or_404(Dataset, pk=row_id, owner=request.user)
    return _dataset(request, row, lambda: datasets.inspected(row), reverse("class-sample", args=[row.pk]))


@login_required
def digits_detail(request: HttpRequest) -> HttpResponse:
    """Show the same for scikit-learn's digits, which come with the program."""
    return _dataset(request, None, datasets.digits, reverse("digits-sample"))


@login_required
def dataset_sample(request: HttpRequest, row_id: int) -> HttpResponse:
    """Return a few images of the class ``?class=`` as one PNG. ``part`` is train or test, ``fit`` is resize or crop."""
    row = get_object_or_404(Dataset, pk=row_id, owner=request.user)
    name, part, fit = _asked(request)
    return _png(lambda: datasets.sample(row, name, part, fit))


@login_required
def digits_sample(request: HttpRequest) -> HttpResponse:
    """Return a few images of one digit as one PNG."""
    name, part, _ = _asked(request)
    return _png(lambda: datasets.digits_sample(name, part))


@login_required
def table_detail(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show the columns and the first rows of a table."""
    row = get_object_or_404(Table, pk=row_id, owner=request.user)
    try:
        context = {"row": row, "found": table_contents.inspected(row), "problem": ""}
    except DataError as error:
        context = {"row": row, "found": None, "problem": str(error)}
    return render(request, "sources/table.html", context)


@login_required
def space_detail(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show a space for images of the size that ``?channels=&side=&classes=`` gives, or of the usual size."""
    row = get_object_or_404(SearchSpace, pk=row_id, owner=request.user)
    images = ImagesForm(request.GET if "side" in request.GET else None)
    context: dict[str, Any] = {"row": row, "images": images}
    try:
        context |= _space(spaces.of_document(row.options, *images.spec()), row.options)
    except EngineError as error:
        context["problem"] = str(error)
    return render(request, "sources/space.html", context)


@login_required
@require_POST
def space_check(request: HttpRequest) -> HttpResponse:
    """Return the space that the typed definition describes, or complaints at its faulty parts (an htmx partial)."""
    form = SpaceForm(request.POST)
    images = ImagesForm(request.POST)
    form.fields["name"].required = False
    context: dict[str, Any] = {}
    if form.is_valid() and images.is_valid():
        try:
            found = sources.check_space(form.cleaned_data["definition"], InputSpec(*images.spec()))
            context = _space(spaces.of_document(found["options"], *images.spec()), found["options"])
        except ConfigError as error:
            form.add_errors(error)
    context["complaints"] = [str(message) for field in (form, images) for e in field.errors.values() for message in e]
    return render(request, "sources/partials/space_check.html", context)


@login_required
def space_drawing(request: HttpRequest) -> HttpResponse:
    """Return a drawing of the default network of the space that ``?space=`` holds, as SVG."""
    space = spaces.unpacked(request.GET.get("space", ""))
    if space is None:
        raise Http404("The address names no space.")
    return HttpResponse(spaces.default_drawing(space), content_type="image/svg+xml")


@login_required
@require_POST
def benchmark_act(request: HttpRequest, name: str, action: str) -> HttpResponse:
    """Read an official benchmark file, cancel that, or forget its table; or say why not. This is for administrators."""
    if name not in TABULAR_BENCHMARKS or action not in ACTIONS:
        raise Http404("There is no such benchmark or action.")
    try:
        ACTIONS[action](request.user, name)
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect("tables")


def _dataset(request: HttpRequest, row: Dataset | None, look: Callable[[], Any], samples: str) -> HttpResponse:
    context: dict[str, Any] = {"row": row, "samples": samples}
    try:
        found = look()
        most = max((sum(c[part] for part in ("train", "valid", "test")) for c in found["classes"]), default=1) or 1
        shown = Paginator([_balance(c, most) for c in found["classes"]], CLASSES_A_PAGE)
        context |= {"found": found, "classes": shown.get_page(request.GET.get("page")), "part": _asked(request)[1]}
        context |= {"fit": _asked(request)[2], "parts": [p for p in datasets.PARTS if found["splits"][p]]}
    except DataError as error:
        context["problem"] = str(error)
    return render(request, "sources/dataset.html", context)


def _balance(entry: dict[str, Any], most: int) -> dict[str, Any]:
    """Return a class with the bars of its splits, one behind the other."""
    bars = []
    at = 0.0
    for part in ("train", "valid", "test"):
        width = round(BAR * entry[part] / most, 2)
        bars.append({"part": part, "x": at, "width": width})
        at = round(at + width, 2)
    return {**entry, "bars": bars}


def _space(space: Any, options: dict[str, Any]) -> dict[str, Any]:
    found = spaces.described(space)
    found["costs"] = [{"label": title(name), **ends} for name, ends in found["costs"].items()]
    text = spaces.packed(options, *found["input"].values())
    return {"found": found, "drawing": f"{reverse('space-picture')}?space={text}" if text else ""}


def _asked(request: HttpRequest) -> tuple[str, str, Any]:
    part = request.GET.get("part", "train")
    fit = request.GET.get("fit", "resize")
    return (
        request.GET.get("class", ""),
        part if part in datasets.PARTS else "train",
        fit if fit in ("resize", "crop") else "resize",
    )


def _png(make: Callable[[], bytes]) -> HttpResponse:
    try:
        return HttpResponse(make(), content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
    except DataError as error:
        raise Http404(str(error)) from error
