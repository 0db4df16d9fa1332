"""The same networks and the same estimate in Optuna, on its own storages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine.config.datasets import DigitsOptions
from engine.config.estimators import ProxyOptions
from engine.config.search import Objective
from engine.problem import SearchProblem
from engine.registry import create_estimator, open_data
from nasweb.benchmarks.throughput import space

STORAGES = ("optuna_sqlite", "optuna_journal")
SETTINGS = {
    "sampler": "random, the cheapest to ask",
    "trial": "six categorical parameters; score and parameters as two objectives",
    "processes": "one, which asks, scores and tells; nothing is sent to another process",
    "optuna_sqlite": "RDBStorage as it comes: SQLite with a rollback journal, several commits a trial",
    "optuna_journal": "JournalStorage on JournalFileBackend as it comes: a file with a lock, fsync after every entry",
}


def measure(storage: str, folder: Path, trials: int) -> dict[str, Any]:
    """Return seconds and CPU seconds of ``trials`` trials in this process, after a few warm-up trials in another
    study."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    networks = space()
    problem = SearchProblem(networks, Objective(cost_metric="params_m"))
    estimator = create_estimator(ProxyOptions(name="params"), networks, open_data(DigitsOptions(), folder), None)
    counts = networks.option_counts()

    def score(trial: optuna.Trial) -> tuple[float, float]:
        choices = [trial.suggest_categorical(f"layer {i}", list(range(count))) for i, count in enumerate(counts)]
        architecture = networks.architecture(choices)
        (estimate,) = estimator.estimate_batch([architecture], seed=0)
        assert estimate.score is not None, estimate.error
        return estimate.score, problem.cost(architecture)

    def run(name: str, trials: int) -> tuple[float, float]:
        path = folder / f"{storage}-{name}-{time.monotonic_ns()}"
        study = optuna.create_study(
            storage=_storage(storage, path),
            sampler=optuna.samplers.RandomSampler(7),
            directions=["maximize", "minimize"],
        )
        begun = time.monotonic()
        cpu = time.process_time()
        study.optimize(score, n_trials=trials)
        taken = time.monotonic() - begun, time.process_time() - cpu
        assert sum(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials) == trials
        return taken

    run("warm", 10)
    seconds, cpu_seconds = run("measured", trials)
    return {"candidates": trials, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _storage(name: str, path: Path) -> Any:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    if name == "optuna_sqlite":
        return optuna.storages.RDBStorage(f"sqlite:///{path}.sqlite3")
    return optuna.storages.JournalStorage(JournalFileBackend(f"{path}.log"))
