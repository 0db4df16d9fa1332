"""Official benchmark files: their folder, their state, and who may manage them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from django.conf import settings

from engine import sources
from engine.config.lookups import NasBench301Options
from engine.tabular import nasbench301
from engine.tabular_benchmarks import TABULAR_BENCHMARKS
from searches.models import BenchmarkFile

SURROGATES: Mapping[str, str] = {
    f"nasbench301_{version}": version for version in get_args(NasBench301Options.model_fields["version"].annotation)
}
"""The versions of NAS-Bench-301's surrogates by name. They are used as they are, without conversion."""


def may_manage(user: Any) -> bool:
    """Return whether a user may manage the shared files and see their folder, which only staff may.

    The local owner is staff.
    """
    return bool(user.is_staff)


def folder() -> Path:
    """Return the folder for official files and for the converted tables."""
    return Path(settings.NASWEB_HOME) / "benchmarks"


def converted(name: str) -> Path:
    """Return the path of the table made from a benchmark's file, whether it exists or not."""
    return sources.converted(folder(), name)


def not_ready(user: Any, name: str) -> str:
    """Return why a benchmark or a surrogate cannot be used yet, and what the user can do."""
    if name in SURROGATES:
        return f"NAS-Bench-301's surrogate is not ready on this machine. {surrogate_to_do(user, SURROGATES[name])}"
    return what_to_do(user, name)


def label(name: str) -> str:
    """Return the display name of a benchmark or a surrogate."""
    return f"NAS-Bench-301 surrogate {SURROGATES[name]}" if name in SURROGATES else TABULAR_BENCHMARKS[name].label


def what_to_do(user: Any, name: str) -> str:
    """Return why a benchmark cannot be searched yet, and the next step for this user (to take, or to ask for)."""
    row = BenchmarkFile.objects.filter(name=name).first()
    found = TABULAR_BENCHMARKS[name].find(folder())
    error = _error(user, row)
    why = f"is here as {found.name}, but was not read yet" if found is not None else "is not on this machine"
    if row is not None and row.is_open:
        why = "is being read"
    failed = f" The last attempt failed: {error}" if error else ""
    return f"{label(name)} {why}. {_step(user, name, row)}{failed}"


def surrogate_to_do(user: Any, version: str) -> str:
    """Return the next step before a surrogate can be used, for this user; empty if it is ready."""
    steps = nasbench301.steps(folder(), version, _place(user))
    source = f" The models come from {nasbench301.SOURCE}." if nasbench301.find(folder(), version) is None else ""
    return _asked(user, " and ".join(steps)) + source if steps else ""


def every(user: Any) -> list[dict[str, Any]]:
    """Return all benchmarks with their state: missing, found, waiting, reading, failed or ready."""
    rows = {row.name: row for row in BenchmarkFile.objects.all()}
    return [_benchmark(user, name, rows.get(name)) for name in TABULAR_BENCHMARKS]


def surrogates(user: Any) -> list[dict[str, Any]]:
    """Return NAS-Bench-301's surrogates in the same form, with the state missing, package missing or ready."""
    return [_surrogate(user, name, version) for name, version in SURROGATES.items()]


def _benchmark(user: Any, name: str, row: BenchmarkFile | None) -> dict[str, Any]:
    benchmark = TABULAR_BENCHMARKS[name]
    ready = converted(name).exists()
    found = benchmark.find(folder())
    state = "ready" if ready else "found" if found is not None else "missing"
    if row is not None and row.is_open:
        state = "reading" if row.status == BenchmarkFile.Status.MEASURING else "waiting"
    elif row is not None and row.error and not ready:
        state = "failed"
    return {
        "name": name,
        "label": label(name),
        "space": benchmark.space,
        "state": state,
        "file": found.name if found is not None else None,
        "files": list(benchmark.files),
        "folder": _folder(user),
        "source": benchmark.source,
        "datasets": list(benchmark.datasets),
        "epochs": list(benchmark.epochs),
        "done": row.done if row is not None else 0,
        "total": row.total if row is not None else 0,
        "error": _error(user, row),
        "what_to_do": "" if state == "ready" else _step(user, name, row),
    }


def _surrogate(user: Any, name: str, version: str) -> dict[str, Any]:
    found = nasbench301.find(folder(), version)
    return {
        "name": name,
        "label": label(name),
        "space": "darts",
        "state": "missing" if found is None else "ready" if nasbench301.has_package() else "package missing",
        "file": str(found.relative_to(folder())) if found is not None else None,
        "files": list(nasbench301.places(version)),
        "folder": _folder(user),
        "source": nasbench301.SOURCE,
        "datasets": ["cifar10"],
        "epochs": [nasbench301.EPOCHS],
        "done": 0,
        "total": 0,
        "error": "",
        "what_to_do": surrogate_to_do(user, version),
    }


def _step(user: Any, name: str, row: BenchmarkFile | None) -> str:
    """Return the next step before a benchmark can be searched."""
    if row is not None and row.is_open:
        return f"Wait until it is ready: {row.done} of {row.total or '?'} networks are read."
    benchmark = TABULAR_BENCHMARKS[name]
    read = "press “Read” on the page Tables"
    if benchmark.find(folder()) is not None:
        return _asked(user, read)
    wanted = " or ".join(f"“{file}”" for file in benchmark.files)
    return f"{_asked(user, f'put {wanted} into {_place(user)} and {read}')} The file comes from {benchmark.source}."


def _asked(user: Any, step: str) -> str:
    """Return a step as a sentence: staff may take it, other users ask for it."""
    return f"{step[0].upper()}{step[1:]}." if may_manage(user) else f"Ask an administrator to {step}."


def _folder(user: Any) -> str | None:
    return str(folder()) if may_manage(user) else None


def _place(user: Any) -> str:
    return _folder(user) or "the server's folder of benchmarks"


def _error(user: Any, row: BenchmarkFile | None) -> str:
    """Return why the last reading failed, but only to managers, because the text may name files of the server."""
    return row.error if row is not None and may_manage(user) else ""
