"""What more workers are worth: two real ones against one, and hundreds of simulated ones against the ideal.

Real: a search with MOTE on digits, run by real Celery processes, one or two, in turn. Simulated
(`nasweb.benchmarks.simulated`): all a worker does but scoring, which is a wait of fixed length; the broker, the process
that advances the search and the database are real.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

from django.conf import settings

from engine.benchmarks.report import Figure, Report
from nasweb.benchmarks import postgresql, simulated, throughput
from nasweb.benchmarks.house import House

MOTE = {"dataset": {"kind": "digits"}, "estimator": {"kind": "mote"}}
ROUND_SIZE = 16
LIKE_WORKERS = (64, 256, 1_024)
SECONDS = 30.0
A_WORKER = 4
SETTINGS = {
    "real": "LayerNAS over a chain of six layers, MOTE (fast) on digits, no score known before; Celery processes of "
    "one thread, broker and sweeper on this machine, SQLite; seconds from the search's row until its end is written",
    "speedup": "median seconds of one worker process over those of two, which take turns",
    "simulated": "the workers: coroutines of one process that take their tasks from the real broker, lease, beat "
    "and record through the product's services, in four threads; scoring is a wait of fixed length and a made-up score",
    "not_simulated": "the process that advances the search (LayerNAS), sweeper, broker, database; all of them and the "
    "coroutines share the cores of this machine",
    "efficiency": "ideal seconds (networks a worker times the fixed length) over measured ones, from the search's row "
    "until its end is written; a round is told when its last network is recorded",
}


def run(quick: bool) -> Report:
    """Three passes of 60 networks, then 64, 256 and 1,024 workers that wait 30 s; quick: 8 networks, 8 workers."""
    said = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], **SETTINGS}
    real = _real(1, 8) if quick else _real(3, 60)
    speedup = median(real[1]) / median(real[2])
    figures = [Figure("speedup.2_workers", round(speedup, 2), "x", "higher")]
    found = {}
    with ExitStack() as stack:
        measure: Callable[..., Any] = simulated.measure
        said["database"] = "SQLite" if quick else postgresql.unreachable() or "PostgreSQL"
        if said["database"] == "PostgreSQL":
            call = stack.enter_context(postgresql.elsewhere(settings.NASWEB_HOME / "postgresql"))
            measure = partial(call, simulated.measure)
        for count in (8,) if quick else LIKE_WORKERS:
            found[count] = measure(count, 0.5 if quick else SECONDS, A_WORKER)
            efficiency = found[count]["ideal"] / found[count]["seconds"]
            figures.append(Figure(f"efficiency.{count}_simulated", round(efficiency, 3), "share", "higher", goal=1.0))
    said |= {"seconds_real": real, "simulated_searches": found, "load_after": os.getloadavg()[0]}
    return Report(said, figures)


def _real(passes: int, candidates: int) -> dict[int, list[float]]:
    """Seconds of every pass by the number of worker processes."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with House() as house:
        for _ in range(passes):
            for processes, took in seconds.items():
                house.work(processes)
                house.timed(throughput.config(4 * processes, ROUND_SIZE, **MOTE))  # each imports what it needs
                took.append(round(house.timed(throughput.config(candidates, ROUND_SIZE, **MOTE)), 2))
                house.kill("worker")
    return seconds
