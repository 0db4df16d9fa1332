"""The gain from more workers: two real workers against one, and hundreds of simulated workers against the ideal.

The real part runs a search with MOTE on digits with one or two Celery processes, in turn. The simulated part
(`nasweb.benchmarks.simulated`) does everything that a worker does, except that scoring is a wait of fixed length; the
broker, the process that advances the search and the database are real.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from statistics import median
from typing import Any

from django.conf import settings

from engine.benchmarks.partial import PartialResults
from engine.benchmarks.report import Figure, Report
from nasweb.benchmarks import postgresql, simulated, throughput
from nasweb.benchmarks.__main__ import kept_results
from nasweb.benchmarks.house import House

MOTE = {"dataset": {"kind": "digits"}, "estimator": {"kind": "mote"}}
WARM = {**MOTE, "estimator": {"kind": "mote", "seed": 1}}
"""The warm-up search; its other seed keeps MOTE from caching anything that the measured search could use."""
ROUND_SIZE = 16
LIKE_WORKERS = (64, 256, 1_024)
SECONDS = 30.0
A_WORKER = 4
POSTGRESQL = "PostgreSQL"
SETTINGS = {
    "real": "LayerNAS over a chain of six layers, MOTE (fast) on digits, no score known before; Celery processes of "
    "one thread, broker and sweeper on this machine, SQLite; seconds from the search's row until its end is written",
    "speedup": "median seconds of one worker process over those of two, which take turns",
    "simulated": "the workers: coroutines of one process that take their tasks from the real broker, lease, beat "
    "and record through the product's services, in four threads; scoring is a wait of fixed length and a made-up score",
    "not_simulated": "the process that advances the search (LayerNAS), sweeper, broker, database; all of them and the "
    "coroutines share the cores of this machine",
    "efficiency": "the least seconds over the measured ones, from the search's row until its end is written: "
    "`of_rounds` those of the same rounds, each of which ends before the next is proposed, so that what is missing is "
    "orchestration; `of_ideal` those of workers that never wait, so that small rounds (LayerNAS's first one is the "
    "baseline and the first layer's options) and the ends of rounds count, too",
}


def run(quick: bool) -> Report:
    """Measure three passes of 60 networks, then 64, 256 and 1,024 workers that wait 30 s.

    A quick run has 8 networks and 8 workers.
    """
    passes, candidates, counts, seconds = (1, 8, (8,), 0.5) if quick else (3, 60, LIKE_WORKERS, SECONDS)
    said: dict[str, Any] = {
        "cores": os.cpu_count(),
        "networks": candidates,
        "load_before": os.getloadavg()[0],
        **SETTINGS,
    }
    said["database"] = "SQLite" if quick else postgresql.unreachable() or POSTGRESQL
    kept = None
    if not quick:
        kept = PartialResults(
            "scale", {"networks": candidates, "database": said["database"], **SETTINGS}, kept_results()
        )
    real = _real(passes, candidates, kept)
    imitated = _simulated(counts, seconds, said["database"] == POSTGRESQL, kept)
    if kept:
        kept.forget()
    figures = [Figure("speedup.2_workers", round(median(real[1]) / median(real[2]), 2), "x", "higher")]
    for count, found in imitated.items():
        for name, least in (("of_rounds", "by_rounds"), ("of_ideal", "ideal")):
            efficiency = round(found[least] / found["seconds"], 3)
            figures.append(Figure(f"efficiency.{count}_simulated.{name}", efficiency, "share", "higher", goal=1.0))
    said |= {"seconds_real": real, "simulated_searches": imitated, "load_after": os.getloadavg()[0]}
    return Report(said, figures)


def _real(passes: int, candidates: int, kept: PartialResults | None) -> dict[int, list[float]]:
    """Return the seconds of every pass by the number of worker processes."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with House() as house:
        for number, (processes, took) in product(range(passes), seconds.items()):
            took.append(_kept(kept, f"{number} {processes}", partial(_pass, house, processes, candidates))["seconds"])
    return seconds


def _pass(house: House, processes: int, candidates: int) -> dict[str, float]:
    house.work(processes)
    try:
        house.timed(throughput.config(4 * processes, ROUND_SIZE, **WARM))  # warm-up: each process imports its modules
        return {"seconds": round(house.timed(throughput.config(candidates, ROUND_SIZE, **MOTE))[0], 2)}
    finally:
        house.kill("worker")


def _simulated(
    counts: Sequence[int], seconds: float, on_postgresql: bool, kept: PartialResults | None
) -> dict[int, Mapping[str, float]]:
    """Return the results of `simulated.measure` by the number of workers."""
    with ExitStack() as stack:
        measure: Callable[..., Any] = simulated.measure
        if on_postgresql:
            call = stack.enter_context(postgresql.elsewhere(settings.NASWEB_HOME / "postgresql"))
            measure = partial(call, simulated.measure)
        return {n: _kept(kept, f"simulated {n}", partial(measure, n, seconds, A_WORKER)) for n in counts}


def _kept(kept: PartialResults | None, key: str, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the result that an earlier, interrupted run has kept, or measure it now."""
    found = kept.records.get(key) if kept else None
    if found is None:
        found = dict(measure())
        if kept:
            kept.add(key, found)
    return found
