"""Broker, Celery worker and sweeper in separate processes, on the benchmark's home and database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import psutil
from django.conf import settings

from engine.config.search import SearchConfig
from nasweb.benchmarks.product import ROOT
from nasweb.benchmarks.throughput import check
from nasweb.embedded import broker
from nasweb.embedded.places import ensure_secret_key
from nasweb.local_owner import local_owner
from searches.models import Candidate, Evaluation, Search
from searches.services import control, creation

PATIENCE = 600.0
COLUMNS = ("number", "round", "arch", "origin", "layer", "bucket", "parent_number", "status", "score", "feasible")
CONV = {"conv": {"block": "conv", "width": [8, 6, 4]}}


class House:
    """A context manager: inside it the broker answers, and at its end all started processes are killed."""

    def __init__(self, lease_seconds: float = 30.0) -> None:
        self.home = settings.NASWEB_HOME
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {
            "NASWEB_HOME": str(self.home),
            "SECRET_KEY": ensure_secret_key(self.home),
            "NASWEB_LEASE_SECONDS": str(lease_seconds),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "NASWEB_TORCH_THREADS": "1",
        }

    def __enter__(self) -> House:
        self._start("broker", broker.command(self.home))
        if not broker.wait_ready(self.home, lambda: self.processes["broker"].poll() is None):
            self.__exit__()
            raise RuntimeError("the broker did not start")
        self._start("sweeper", [sys.executable, "manage.py", "sweep", "--interval", "0.5"])
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.kill(name)

    def work(self, processes: int, queues: str = "advance,score,train") -> None:
        """Start a Celery worker with ``processes`` processes."""
        options = ["--queues", queues, "--concurrency", str(processes), "--loglevel", "WARNING"]
        command = [sys.executable, "-m", "celery", "-A", "nasweb", "worker", *options]
        self._start("worker", [*command, "--without-gossip", "--without-mingle"])

    def kill(self, name: str) -> None:
        """Send SIGKILL to a service and all its children."""
        kill(self.processes.pop(name))

    def kill_one(self, rng: Random) -> bool:
        """Send SIGKILL to one process of the worker's pool; return False if there is none."""
        children = psutil.Process(self.processes["worker"].pid).children()
        if not children:
            return False
        rng.choice(sorted(children, key=lambda child: child.pid)).kill()
        return True

    def run(self, search: Search, watch: Callable[[Search], None] = lambda search: None) -> float:
        """Return the seconds until the search has ended; until then, ``watch`` is called with it again and again.

        Raises TimeoutError after `PATIENCE`.
        """
        begun = time.monotonic()
        while True:
            search.refresh_from_db()
            if not search.is_active:
                return time.monotonic() - begun
            if time.monotonic() - begun > PATIENCE:
                raise TimeoutError(f"the search does not end: {self.log()}")
            watch(search)
            time.sleep(0.02)

    def timed(self, config: SearchConfig) -> tuple[float, list[int]]:
        """Run a search that spends its budget of evaluations, then delete it.

        Returns the seconds from the search's row to its end, and the sizes of its rounds.
        """
        search = creation.create(local_owner(), config)
        self.run(search)
        check(search, config.budget.evaluations or 0)
        assert search.finished_at is not None
        sizes = Counter(search.candidates.values_list("round", flat=True))
        control.delete(search)
        Evaluation.objects.all().delete()
        return (search.finished_at - search.created_at).total_seconds(), [sizes[number] for number in sorted(sizes)]

    def log(self) -> str:
        """Return the end of the worker's log."""
        return (self.home / "worker.log").read_text()[-2_000:]

    def _start(self, name: str, command: list[str]) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to a process and all its children."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def start(evaluations: int, estimator: dict[str, Any], round_size: int, seed: int) -> Search:
    """Return a queued search: LayerNAS over a chain of 81 small networks on digits."""
    layers = [{"name": f"layer {i}", "stride": 1 + i % 2, "options": CONV} for i in range(4)]
    config = {
        "name": f"{evaluations} evaluations",
        "space": {"kind": "chain", "definition": {"name": "tiny", "stem": {"width": 4}, "layers": layers}},
        "dataset": {"kind": "digits"},
        "algorithm": {"kind": "layernas", "buckets": 6, "replicas": 2},
        "estimator": estimator,
        "objective": {"cost_metric": "params_m"},
        "budget": {"evaluations": evaluations},
        "round_size": round_size,
        "seed": seed,
    }
    return creation.create(local_owner(), SearchConfig.parse(config))


def outcomes(search: Search) -> list[tuple[Any, ...]]:
    """Return everything that must not depend on the order of the workers' answers."""
    return list(Candidate.objects.filter(search=search).order_by("number").values_list(*COLUMNS, "choices"))
