"""Searches with almost free estimates, run by the whole product, so that the measured time is orchestration.

The product is `manage.py up` with one worker process: web server, worker, sweeper, broker, database.
"""

from __future__ import annotations

import csv
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
from django.conf import settings
from django.db.models import Count

from engine.blueprint import InputSpec
from engine.config.search import SearchConfig
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from engine.space import SearchSpace
from nasweb.benchmarks.product import Running
from nasweb.local_owner import local_owner
from searches.models import Candidate, Evaluation, Search
from searches.services import control, creation

LAYERS = 6
CONV = {"conv": {"block": "conv", "kernel": [1, 3], "width": [8, 6, 4]}}
DEFINITION = {
    "name": "six layers",
    "stem": {"width": 4},
    "layers": [{"name": f"layer {i}", "stride": 1 + i % 2, "options": CONV} for i in range(LAYERS)],
}
"""A chain of six decisions with six options each: 46,656 networks."""
SPEC = InputSpec(1, 8, 8, 10)
"""The input of the digits data set."""
ROUND_SIZE = 32
DISPATCHED: dict[str, Any] = {"dataset": {"kind": "digits"}, "estimator": {"kind": "proxy", "name": "params"}}
"""The score is the number of parameters of the network built in torch, which takes well under a millisecond."""
TABLE_TIMES = 10
PATIENCE = 1_200.0
WARM = 2 * ROUND_SIZE


def space() -> SearchSpace:
    """Return the space for digits."""
    return create_space(ChainOptions(definition=DEFINITION), SPEC)


class Product:
    """A product in which searches are measured one after another, each on a database without candidates."""

    def __init__(self) -> None:
        self.running = Running(settings.NASWEB_HOME, **_servers())
        self.table = _write_table(settings.NASWEB_HOME / "table.csv")

    def start(self) -> None:
        """Start the product and run a first search as a warm-up."""
        self.running.start()
        self.measure("dispatched", WARM)

    def stop(self) -> None:
        """Stop the product as Ctrl-C does."""
        self.running.stop()

    def measure(self, estimate: str, candidates: int) -> dict[str, Any]:
        """Return the seconds from the search's row to its end, CPU seconds of all processes, and their largest memory.

        With ``dispatched``, workers score the candidates. With ``looked_up``, the task that advances the search looks
        up ten times as many candidates.
        """
        candidates *= TABLE_TIMES if estimate == "looked_up" else 1
        before = self._cpu_seconds()
        search = creation.create(local_owner(), self._config(estimate, candidates), local_files=True)
        megabytes = self._until_over(search)
        spent = self._cpu_seconds() - before
        assert search.finished_at is not None
        check(search, candidates)
        control.delete(search)
        Evaluation.objects.all().delete()
        seconds = (search.finished_at - search.created_at).total_seconds()
        return {"candidates": candidates, "seconds": seconds, "cpu_seconds": spent, "megabytes": megabytes}

    def _config(self, estimate: str, candidates: int) -> SearchConfig:
        if estimate == "looked_up":
            return config(candidates, estimator={"kind": "table", "path": str(self.table), "reward": "score"})
        return config(candidates, **DISPATCHED)

    def _until_over(self, search: Search) -> dict[str, float]:
        """Wait for the search's end and return the largest resident megabytes of each kind of process.

        Raises TimeoutError after `PATIENCE`.
        """
        largest: dict[str, float] = {}
        deadline = time.monotonic() + PATIENCE
        while True:
            search.refresh_from_db()
            for name, value in self._megabytes().items():
                largest[name] = max(value, largest.get(name, 0.0))
            if not search.is_active:
                return {name: round(value, 1) for name, value in largest.items()}
            if time.monotonic() > deadline:
                raise TimeoutError(f"the search is {search.status} with {search.scored} of its candidates scored")
            time.sleep(0.1)

    def _processes(self) -> list[psutil.Process]:
        assert self.running.process is not None
        supervisor = psutil.Process(self.running.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def _cpu_seconds(self) -> float:
        spent = 0.0
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent

    def _megabytes(self) -> dict[str, float]:
        """Return the resident memory of the web server and of the worker, including the worker's parent."""
        found: defaultdict[str, float] = defaultdict(float)
        for process in self._processes():
            with suppress(psutil.NoSuchProcess, IndexError):
                command = process.cmdline()[2]
                if command in ("uvicorn", "celery"):
                    found["web" if command == "uvicorn" else "worker"] += process.memory_info().rss / 1e6
        return found


def config(candidates: int, round_size: int = ROUND_SIZE, **scored: Any) -> SearchConfig:
    """Return a LayerNAS configuration over the networks; ``scored`` are the sections that define the estimate."""
    return SearchConfig.parse(
        {
            "name": f"{candidates} candidates",
            "space": {"kind": "chain", "definition": DEFINITION},
            "algorithm": {"kind": "layernas", "buckets": 60, "replicas": 40},
            "objective": {"cost_metric": "params_m"},
            "budget": {"evaluations": candidates},
            "round_size": round_size,
            "seed": 7,
            **scored,
        }
    )


@contextmanager
def product() -> Iterator[Product]:
    """Yield a product on this process's home and database; it is stopped at the end."""
    started = Product()
    try:
        started.start()
        yield started
    finally:
        started.stop()


_started: Product | None = None


def start() -> None:
    """Start the product of this process, for callers in another process."""
    global _started
    _started = Product()
    _started.start()


def measure(estimate: str, candidates: int) -> dict[str, Any]:
    """Call `Product.measure` of the product that `start` started."""
    assert _started is not None
    return _started.measure(estimate, candidates)


def stop() -> None:
    """Stop the product that `start` started."""
    if _started is not None:
        _started.stop()


def check(search: Search, candidates: int) -> None:
    """Raise AssertionError unless everything that a search must leave behind is there."""
    assert (search.status, search.scored) == (Search.Status.FINISHED, candidates), search.status_reason
    assert search.candidates.filter(status=Candidate.Status.SCORED, from_cache=False).count() == candidates
    counts = search.events.aggregate(events=Count("seq"))
    assert counts["events"] == search.event_seq
    assert search.buckets.exists()


def _servers() -> dict[str, str]:
    """Return the product's settings besides its home: none, or those for the database server."""
    if not settings.DATABASE_URL:
        return {}
    allowed = ",".join(settings.ALLOWED_HOSTS)
    return {"DATABASE_URL": settings.DATABASE_URL, "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": allowed}


def _write_table(path: Path) -> Path:
    """Write a table of every network with a made-up score that depends on a seed, and return its path."""
    networks = space()
    rng = Random("orchestration")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arch", "score"])
        for choices in itertools.product(*(range(count) for count in networks.option_counts())):
            rows.writerow([networks.to_string(networks.architecture(choices)), rng.random()])
    return path
