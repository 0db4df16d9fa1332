"""Reading of official benchmark files in the background; all accounts share them, so only administrators may do it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from engine.tabular_benchmarks import TABULAR_BENCHMARKS
from searches.models import BenchmarkFile, Search
from searches.selectors import tabular
from searches.services import dispatching
from searches.services.errors import ActionRefused

BENCHMARK = "benchmark"
Status = BenchmarkFile.Status
SHOWN = 5
ADMINISTRATORS_ONLY = (
    "All accounts share the official benchmark files, so only an administrator may read or forget them. Ask an "
    "administrator, or create one with “manage.py createsuperuser”."
)


def read(user: Any, name: str) -> BenchmarkFile:
    """Have a worker convert the official file; raises ActionRefused if it is missing or is already being read."""
    _check(user, name)
    if TABULAR_BENCHMARKS[name].find(tabular.folder()) is None:
        raise ActionRefused(tabular.what_to_do(user, name))
    with transaction.atomic():
        row, _ = BenchmarkFile.objects.select_for_update().get_or_create(name=name, defaults={"status": Status.READY})
        if row.is_open:
            raise ActionRefused(tabular.what_to_do(user, name))
        fresh = {"status": Status.WAITING, "error": "", "attempts": 0, "done": 0, "total": 0, "finished_at": None}
        BenchmarkFile.objects.filter(pk=row.pk).update(**fresh)
        dispatching.measure(BENCHMARK, row)
    row.refresh_from_db()
    return row


def cancel(user: Any, name: str) -> None:
    """End the reading within seconds; raises ActionRefused if it has already ended."""
    _check(user, name)
    rows = BenchmarkFile.objects.filter(name=name, status__in=BenchmarkFile.OPEN)
    if not rows.update(status=Status.CANCELLED, lease_until=None, finished_at=timezone.now()):
        raise ActionRefused(f"{TABULAR_BENCHMARKS[name].label} is not being read.")


def forget(user: Any, name: str) -> None:
    """Delete the converted table, but not the official file; raises ActionRefused while a search uses it."""
    _check(user, name)
    searched = Q(config__estimator__kind=BENCHMARK, config__estimator__name=name)
    decided = Q(config__final__estimator__kind=BENCHMARK, config__final__estimator__name=name)
    used = Search.objects.filter(searched | decided).order_by("id")
    if numbers := [str(pk) for pk in used.values_list("pk", flat=True)[:SHOWN]]:
        label = TABULAR_BENCHMARKS[name].label
        raise ActionRefused(f"{label} is used by search {', '.join(numbers)}; delete that first.")
    BenchmarkFile.objects.filter(name=name).delete()
    tabular.converted(name).unlink(missing_ok=True)


def _check(user: Any, name: str) -> None:
    """Raise PermissionDenied if the user may not manage the files, and ActionRefused for files that are never read."""
    if not tabular.may_manage(user):
        raise PermissionDenied(ADMINISTRATORS_ONLY)
    if name in tabular.SURROGATES:
        raise ActionRefused(f"{tabular.label(name)} is used as it is; there is nothing to read or to forget.")
