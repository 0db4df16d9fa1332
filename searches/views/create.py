"""The pages that configure a search: the form, its content as YAML, and the look ahead before the search starts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from engine.metrics import LATENCY
from searches.examples import EXAMPLES
from searches.forms import choosing
from searches.forms.choosing import Chooser
from searches.forms.documents import write_yaml
from searches.forms.layout import CHAIN_HELP, as_text
from searches.forms.search import SearchForm
from searches.models import LatencyTable, Search
from searches.services import creation
from searches.views.lookahead import Histogram, in_words


@login_required
def new_search(request: HttpRequest) -> HttpResponse:
    """Show the form. A POST creates the search, or shows every error at its field and keeps what was typed."""
    if request.method == "POST":
        form, config = read(request)
        if config is not None:
            try:
                return redirect("search", creation.create(request.user, config).pk)
            except ConfigError as error:
                complain(request, form, error)
        return page(request, form, status=422)
    return page(request, SearchForm(request.user, document=starting_document(request)))


@login_required
@require_POST
def start_example(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a search with a ready configuration."""
    config = SearchConfig.parse(example(slug))
    return redirect("search", creation.create(request.user, config).pk)


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Return the look ahead for the form as it is now, and its YAML (an htmx partial); create nothing."""
    form, config = read(request)
    return looked_ahead(request, form, config, trial_of(request))


@login_required
@require_POST
def trial(request: HttpRequest) -> HttpResponse:
    """Start a short search that measures the seconds of the form's estimate; the look ahead then waits for it."""
    form, config = read(request)
    search = None
    if config is not None:
        try:
            search = creation.trial(request.user, config)
        except ConfigError as error:
            complain(request, form, error)
            config = None
    return looked_ahead(request, form, config, search)


def looked_ahead(
    request: HttpRequest, form: SearchForm, config: SearchConfig | None, search: Search | None
) -> HttpResponse:
    """Return the panel of the look ahead; ``search`` is the short search that it waits for."""
    context: dict[str, Any] = {"form": form, "trial": search}
    if config is not None:
        try:
            found = creation.preflight(request.user, config)
            objective = config.objective
            context |= {
                "found": in_words(found),
                "suggestions": [
                    {**item, "name": None if by_yaml(request) else form.place(item["path"])[0]}
                    for item in found["suggestions"]
                ],
                "histogram": Histogram.of(found, objective.lo, objective.hi),
            }
        except ConfigError as error:
            complain(request, form, error)
    if not by_yaml(request):
        context["yaml"] = write_yaml(form.document) if config is None else config.to_yaml()
    context["complaints"] = [] if "found" in context else complaints(form)
    return render(request, "searches/partials/check.html", context)


@login_required
@require_POST
def fields(request: HttpRequest) -> HttpResponse:
    """Return the fields as the YAML fills them (an htmx partial); malformed YAML gets its errors at the textarea."""
    form, config = read(request)
    if config is not None:
        filled = SearchForm(request.user, document=config.as_dict())
        return render(request, "searches/partials/fields.html", form_context(request, filled))
    response = render(request, "searches/partials/yaml_errors.html", {"form": form})
    response["HX-Retarget"] = "#yaml-errors"
    return response


def trial_of(request: HttpRequest) -> Search | None:
    """Return the short search that the panel waits for, or None if there is none."""
    number = request.POST.get("trial", "")
    return Search.objects.filter(pk=number, owner=request.user.pk).first() if number.isdecimal() else None


def by_yaml(request: HttpRequest) -> bool:
    """Return whether the YAML counts instead of the fields."""
    return request.POST.get("mode") == "yaml"


def read(request: HttpRequest) -> tuple[SearchForm, SearchConfig | None]:
    """Return the posted form and its configuration; None instead of the latter if the form has errors."""
    form = SearchForm(request.user, request.POST)
    if not by_yaml(request):
        form.is_valid()
        return form, form.config
    form.full_clean()
    form.errors.clear()
    try:
        return form, SearchConfig.from_yaml(request.POST.get("yaml", ""))
    except ConfigError as error:
        complain(request, form, error)
    return form, None


def complain(request: HttpRequest, form: SearchForm, error: ConfigError) -> None:
    """Put complaints at the fields, or all of them at the YAML if the YAML was sent."""
    if not by_yaml(request):
        form.add_errors(error)
        return
    for item in error.errors:
        shown = item.path and item.path != "yaml"
        form.add_error("yaml", f"{item.path}: {item.message}" if shown else item.message)


def complaints(form: SearchForm) -> list[tuple[str, str, str]]:
    """Return ``(field id, label, message)`` of every error, for the summary."""
    found = []
    for name, messages in form.errors.items():
        bound = form[name] if name in form.fields else None
        label = str(bound.label) if bound is not None else ""
        found += [(bound.id_for_label if bound is not None else "", label, str(message)) for message in messages]
    return found


def page(request: HttpRequest, form: SearchForm, status: int = 200) -> HttpResponse:
    """Return the whole page."""
    context = form_context(request, form) | {"complaints": complaints(form) if form.is_bound else []}
    return render(request, "searches/new.html", context, status=status)


def form_context(request: HttpRequest, form: SearchForm) -> dict[str, Any]:
    """Return the context of the fields' template."""
    parts = [(choice.label, choice.part) for choice in choosing.spaces(request.user) if choice.part]
    chains = [
        {"name": label, "definition": as_text(part["definition"])} for label, part in parts if part["kind"] == "chain"
    ]
    shown = {"examples": EXAMPLES, "saved_chains": chains, "chain_help": CHAIN_HELP}
    return {"form": form, "mode": request.POST.get("mode", "form"), **shown}


def example(slug: str) -> dict[str, Any]:
    """Return a ready configuration; 404 for an unknown name."""
    for entry in EXAMPLES:
        if entry.slug == slug:
            return entry.config
    raise Http404(f"There is no example '{slug}'.")


def starting_document(request: HttpRequest) -> dict[str, Any]:
    """Return the document that fills a new form: an example, or one with the search, space, data or table asked for."""
    given = request.GET
    if "clone" in given:
        search = get_object_or_404(Search, pk=number(given["clone"]), owner=request.user.pk)
        return creation.clone(search)
    document = dict(example(given.get("example", EXAMPLES[0].slug)))
    if "space" in given:
        document["space"] = chosen(choosing.spaces(request.user), f"own:{number(given['space'])}")
    if "dataset" in given:
        document["dataset"] = chosen(choosing.data(request.user), f"upload:{number(given['dataset'])}")
    if "table" in given:
        document["estimator"] = {"kind": "table", "table": number(given["table"])}
        document["dataset"] = None
    if "latency" in given:
        table = get_object_or_404(LatencyTable, pk=number(given["latency"]), owner=request.user.pk)
        document["objective"] = {"cost_metric": LATENCY, "latency_table": table.pk}
        document["space"] = table.space or document["space"]
    if "example" not in given:
        document["name"] = ""  # an example's name says what the example is
    return document


def chosen(chooser: Chooser, key: str) -> dict[str, Any] | None:
    """Return what a key stands for; 404 for one that is not offered to the user."""
    try:
        return chooser.part(key)
    except KeyError as error:
        raise Http404("There is no such source.") from error


def number(text: str) -> int:
    """Return the number of a row that the address holds; 404 for anything but a number."""
    if not text.isdecimal():
        raise Http404("The address names no row.")
    return int(text)
