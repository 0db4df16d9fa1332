"""Candidates per second of the whole product with an almost free estimate, compared with Optuna.

LayerNAS proposes a candidate; it is written, sent through Celery to a worker process, leased, scored, recorded with its
events and counters, and reported to the algorithm, and its buckets are written. ``looked_up`` is the product's way for
tables: scores are looked up by the task that advances the search, many rounds per transaction. Optuna runs the same
number of trials of the same networks with the same estimate and its cheapest sampler. All take turns, pass by pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

from django.conf import settings

from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import Figure, Report
from nasweb.benchmarks import optuna_trials, postgresql, throughput
from nasweb.benchmarks.__main__ import kept_results

PASSES = 3
CANDIDATES = 300
LONGER = 10
GOAL_GROWTH = 11.0
Measure = Callable[[int], Mapping[str, Any]]
SETTINGS = {
    "product": "manage.py up with one worker process: web server (idle), worker, sweeper, broker",
    "sqlite": "WAL, synchronous=NORMAL: a crash of the machine may take the last transactions, one of a process none",
    "postgresql": "as the server is set; with its defaults every commit is on disk",
    "dispatched": "LayerNAS, rounds of 32; the number of parameters of the built network as score (proxy params), "
    "under a millisecond; no candidate was known before",
    "looked_up": "the same search on a table of all networks, ten times the candidates: up to 500 a transaction",
    "optuna": optuna_trials.SETTINGS,
    "seconds": "the product: from the search's row until its end is written; Optuna: study.optimize",
    "cpu_ms_per_candidate": "user and system time of all processes of the product (not the database server's), or of "
    "Optuna's one: neighbours count less there than in seconds",
    "growth_10x": "seconds of ten times the candidates over seconds, dispatched, SQLite",
    "peak_mb": "resident memory of web server and worker (its parent included, shared pages counted twice), SQLite",
}


def run(quick: bool) -> Report:
    """Measure three passes of 300 candidates, then one search of 3,000.

    A quick run has one pass of 32, and only SQLite and Optuna's journal file.
    """
    passes, candidates = (1, 32) if quick else (PASSES, CANDIDATES)
    said = {"candidates": candidates, "passes": passes, "load_before": os.getloadavg()[0], **SETTINGS}
    kept = (
        PartialResults("orchestration", {"candidates": candidates, **SETTINGS}, kept_results()) if not quick else None
    )
    with ExitStack() as stack:
        measures, absent = _contestants(stack, quick)
        found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in measures}
        for number in range(passes):
            for name, measure in measures.items():
                key = f"{number} {name}"
                result: Mapping[str, Any] | None = kept.records.get(key) if kept else None
                if result is None:
                    result = measure(candidates)
                    if kept:
                        kept.add(key, result)
                found[name].append(result)
        longer = measures["sqlite"](LONGER * candidates)
    if kept:
        kept.forget()
    said |= {"absent": absent, "load_after": os.getloadavg()[0], "megabytes": longer["megabytes"]}
    return Report(said, _figures(found, longer))


def _contestants(stack: ExitStack, quick: bool) -> tuple[dict[str, Measure], dict[str, str]]:
    """Start all contestants that can run here; return their measures, and the reasons why others cannot run."""
    measures: dict[str, Measure] = {}
    absent = {}
    here = stack.enter_context(throughput.product())
    for prefix, estimate in (("", "dispatched"), ("looked_up_", "looked_up")):
        measures[f"{prefix}sqlite"] = partial(here.measure, estimate)
    if quick:
        absent["postgresql"] = "left out of quick runs"
    elif reason := postgresql.unreachable():
        absent["postgresql"] = reason
    else:
        call = stack.enter_context(postgresql.elsewhere(settings.NASWEB_HOME / "postgresql"))
        call(throughput.start)
        stack.callback(call, throughput.stop)
        for prefix, estimate in (("", "dispatched"), ("looked_up_", "looked_up")):
            measures[f"{prefix}postgresql"] = partial(call, throughput.measure, estimate)
    if find_spec("optuna") is None:
        absent["optuna"] = "the package is not installed"
    else:
        for storage in optuna_trials.STORAGES[quick:]:
            measures[storage] = partial(optuna_trials.measure, storage, settings.NASWEB_HOME)
    return measures, absent


def _figures(found: Mapping[str, list[Mapping[str, Any]]], longer: Mapping[str, Any]) -> list[Figure]:
    """Return medians over the passes; the rate of Optuna's journal is the goal for the dispatched rates."""
    rates = {name: 1 / median(r["seconds"] / r["candidates"] for r in results) for name, results in found.items()}
    spent = {name: median(r["cpu_seconds"] / r["candidates"] for r in results) for name, results in found.items()}
    goal = round(rates["optuna_journal"], 1) if "optuna_journal" in rates else None
    figures = [
        Figure(
            f"candidates_per_second.{name}",
            round(rate, 1),
            "1/s",
            "higher",
            goal=goal if name in ("sqlite", "postgresql") else None,
        )
        for name, rate in rates.items()
    ]
    figures += [
        Figure(f"cpu_ms_per_candidate.{name}", round(1e3 * value, 2), "ms", "lower") for name, value in spent.items()
    ]
    shorter = median(result["seconds"] for result in found["sqlite"])
    return [
        *figures,
        Figure("growth_10x", round(longer["seconds"] / shorter, 2), "x", "lower", goal=GOAL_GROWTH),
        Figure("peak_mb", round(sum(longer["megabytes"].values())), "MB", "lower"),
    ]
