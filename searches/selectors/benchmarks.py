"""Official benchmark files: where they belong, and what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from django.conf import settings

from engine.benchmark_tables import nasbench301
from engine.benchmark_tables.catalogue import BENCHMARKS
from engine.config.estimators import NasBench301Options
from searches.models import BenchmarkFile


def folder() -> Path:
    """Where official files are put and converted ones are kept."""
    return Path(settings.NASWEB_HOME) / "benchmarks"


def converted(name: str) -> Path:
    """The table made of a benchmark's file, whether it is there or not."""
    return folder() / f"{name}.parquet"


def what_to_do(name: str) -> str:
    """Why a benchmark cannot be searched in yet, and what makes it so."""
    benchmark = BENCHMARKS[name]
    row = BenchmarkFile.objects.filter(name=name).first()
    if row is not None and row.is_open:
        return (
            f"{benchmark.label} is being read, {row.done} of {row.total or 'so far unknown'}; wait until it is ready."
        )
    found = benchmark.find(folder())
    if found is not None:
        failed = f" The last attempt failed: {row.error}" if row is not None and row.error else ""
        return (
            f"{benchmark.label} is here as {found.name}, but was not read yet: press “Read” on the page Tables.{failed}"
        )
    wanted = " or ".join(f"“{name}”" for name in benchmark.files)
    return (
        f"{benchmark.label} is not on this machine. Put {wanted} into {folder()} (it comes from {benchmark.source}), "
        "then press “Read” on the page Tables."
    )


def every() -> list[dict[str, Any]]:
    """All benchmarks with their state: ``missing``, ``found``, ``waiting``, ``reading``, ``failed`` or ``ready``."""
    rows = {row.name: row for row in BenchmarkFile.objects.all()}
    return [_shown(name, rows.get(name)) for name in BENCHMARKS]


def surrogates() -> list[dict[str, Any]]:
    """NAS-Bench-301's surrogates with their state, ``package missing``, ``folder missing`` or ``ready``."""
    return [_surrogate(version) for version in get_args(NasBench301Options.model_fields["version"].annotation)]


def _surrogate(version: str) -> dict[str, Any]:
    state = "ready" if nasbench301.has_package() else "package missing"
    if nasbench301.find(folder(), version) is None:
        state = "folder missing"
    return {
        "label": f"NAS-Bench-301 surrogate {version}",
        "state": state,
        "what_to_do": nasbench301.what_to_do(folder(), version),
    }


def _shown(name: str, row: BenchmarkFile | None) -> dict[str, Any]:
    benchmark, ready = BENCHMARKS[name], converted(name).exists()
    found = benchmark.find(folder())
    state = "ready" if ready else "found" if found is not None else "missing"
    if row is not None and row.is_open:
        state = "reading" if row.status == BenchmarkFile.Status.MEASURING else "waiting"
    elif row is not None and row.error and not ready:
        state = "failed"
    return {
        "name": name,
        "label": benchmark.label,
        "space": benchmark.space,
        "state": state,
        "file": found.name if found is not None else None,
        "files": list(benchmark.files),
        "folder": str(folder()),
        "source": benchmark.source,
        "datasets": list(benchmark.datasets),
        "epochs": list(benchmark.epochs),
        "done": row.done if row is not None else 0,
        "total": row.total if row is not None else 0,
        "error": row.error if row is not None else "",
    }
