"""Searches that tests run in their own process: the services do the work, and no task is sent."""

from __future__ import annotations

import csv
import itertools
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from engine.blueprint import InputSpec
from engine.config.search import SearchConfig
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from engine.space import Architecture, SearchSpace
from searches.models import Candidate, Evaluation, Search
from searches.services import advancing, creation, scoring
from tests.searches.factories import make_user

CONV = {"conv": {"block": "conv", "width": [8, 6, 4]}}
CHAIN = {
    "name": "tiny",
    "stem": {"width": 4},
    "layers": [{"name": f"layer {i}", "stride": 1 + i % 2, "options": CONV} for i in range(4)],
}
"""A chain of 81 networks."""


def chain_space() -> SearchSpace:
    """Return the tiny chain for the default images."""
    return create_space(ChainOptions(definition=CHAIN), InputSpec())


def truth(architecture: Architecture) -> float:
    """Return a made-up quality without ties."""
    return 50 + sum(math.sin((i + 1) * (choice + 1.3)) for i, choice in enumerate(architecture.choices))


def write_table(folder: Path, missing: int = 0, seconds: float | None = None) -> Path:
    """Write a table of the tiny chain (score, truth, cost, seconds) without its last ``missing`` networks.

    ``seconds`` is what every network takes; by default the seconds grow with the cost.
    """
    space = chain_space()
    path = folder / "table.csv"
    networks = [space.architecture(choices) for choices in itertools.product(range(3), repeat=4)]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arch", "score", "truth", "cost", "seconds"])
        for network in networks[: len(networks) - missing]:
            cost = sum(3 - choice for choice in network.choices)
            took = 10 + cost if seconds is None else seconds
            rows.writerow([space.to_string(network), truth(network), truth(network) + 1, cost, took])
    return path


def table_config(path: Path, **changes: Any) -> SearchConfig:
    """Return a configuration of LayerNAS over the table, with 40 evaluations in rounds of 8."""
    config = {
        "name": "table",
        "space": {"kind": "chain", "definition": CHAIN},
        "algorithm": {"kind": "layernas", "buckets": 6, "replicas": 2},
        "estimator": {"kind": "table", "path": str(path), "reward": "score", "truth": "truth", "seconds": "seconds"},
        "objective": {"cost_metric": "params_m"},
        "budget": {"evaluations": 40},
        "round_size": 8,
        "seed": 1,
    }
    return SearchConfig.parse(config | changes)


def training_config(**changes: Any) -> SearchConfig:
    """Return a configuration of LayerNAS on digits; each network trains for an epoch, in well under a second."""
    config = {
        "name": "training",
        "space": {"kind": "chain", "definition": CHAIN},
        "dataset": {"kind": "digits"},
        "algorithm": {"kind": "layernas", "buckets": 6, "replicas": 2},
        "estimator": {"kind": "short_training", "epochs": 1, "batch_size": 256},
        "objective": {"cost_metric": "params_m"},
        "budget": {"evaluations": 16},
        "round_size": 4,
        "seed": 1,
    }
    return SearchConfig.parse(config | changes)


def start(config: SearchConfig, owner: Any = None) -> Search:
    """Return a new search that has not been advanced yet."""
    return creation.create(owner or make_user(), config, local_files=True)


def waiting(search: Search) -> list[int]:
    """Return the unleased evaluations for which the search waits, by candidate number."""
    work = Evaluation.objects.filter(candidates__search=search, status=Evaluation.Status.PENDING)
    return list(work.order_by("candidates__number").values_list("pk", flat=True))


def drive(search: Search, backwards: bool = False) -> Search:
    """Advance and score until the search rests; ``backwards`` scores the last proposals first."""
    for _ in range(1_000):
        advancing.advance(search.pk)
        search.refresh_from_db()
        work = waiting(search)
        if not search.is_active or (not work and not search.candidates.filter(status="proposed").exists()):
            if not search.is_active:
                return search
            continue
        for pk in reversed(work) if backwards else work:
            scoring.score([pk], search.pk)
    raise AssertionError("the search does not come to rest")


def outcomes(search: Search) -> list[tuple[Any, ...]]:
    """Return everything that must not depend on the order of the workers' answers."""
    columns = ("number", "round", "arch", "origin", "layer", "bucket", "parent_number", "status", "score", "feasible")
    return list(Candidate.objects.filter(search=search).order_by("number").values_list(*columns))


def expire(evaluation: Evaluation) -> None:
    """Let a lease expire, as if its worker had been silent for a long time."""
    Evaluation.objects.filter(pk=evaluation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
