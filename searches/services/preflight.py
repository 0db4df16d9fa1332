"""The check before a search: whether it can start, and how the costs of its space compare with its limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from random import Random
from time import monotonic
from typing import Any

import numpy as np

from engine.algorithms.base import SearchAlgorithm
from engine.config.algorithms import MoteNASOptions
from engine.config.search import SearchConfig
from engine.dry_run import DryRun, dry_run, suggestions
from engine.estimate import Images
from engine.estimators.table import TableEstimator
from engine.problem import SearchProblem
from engine.registry import check_search, networks_in_words
from engine.table import Table
from searches.services import timing
from searches.services.estimators import estimator_of
from searches.services.resolving import Resolved, resolve

SAMPLES = 2_000
SAMPLE_SECONDS = 0.6
DRY_SECONDS = 0.6
BINS = 30
RARE = 0.01
LOOKED_UP = 100
MOST_ROWS = 50_000
"""The most rows of a table in which random networks are looked up: an unknown network makes it read all its rows."""


@dataclass(frozen=True)
class Checked:
    """The findings about a search that can start.

    ``bound`` is the largest number of trials, finalists included, or None if the algorithm has no bound.
    ``remarks`` are those of the estimates: for MOTE, which reduced data it trains on, why, and what that costs.
    """

    algorithm: SearchAlgorithm
    bound: int | None
    remarks: list[str]


def check(resolved: Resolved) -> Checked:
    """Check that a search can start, and return what was found on the way.

    ConfigError names the field if no network meets the limits, each alone or all together, or if none can be scored.
    """
    config = resolved.config
    info = resolved.data_info
    images = Images(info["class_names"], info["counts"]["train"]) if info else None
    tables = [stage.table for stage in resolved.stages]
    algorithm, remarks = check_search(config, resolved.problem, tables, images)
    bound = algorithm.bound()
    if bound is not None:
        bound = min(bound, resolved.space.size) + config.finalists
    return Checked(algorithm, bound, remarks)


def preflight(owner: Any, config: SearchConfig) -> dict[str, Any]:
    """Return a seeded sample of the space's costs, the share that is feasible, a dry run, bounds and warnings.

    Nothing is created. Raises ConfigError as `check` does.
    """
    resolved = resolve(owner, config)
    checked = check(resolved)
    problem = resolved.problem
    metric = problem.metric
    costs, feasible = _sample(problem, config.seed)
    low, high = problem.cost_range((), metric)
    if not isfinite(high):  # no largest value is known: the sample's largest value is used
        high = max(costs, default=low)
    counts, edges = np.histogram(costs, bins=BINS, range=(low, high) if high > low else None)
    names = [resolved.space.layer_names[layer] for layer in checked.algorithm.searched_layers()]
    edges_of_layers = zip(names, checked.algorithm.bucket_edges(), strict=False)
    share = sum(feasible) / len(feasible)
    bucket_edges = [{"layer": name, "edges": ends} for name, ends in edges_of_layers]
    dry = dry_run(checked.algorithm, config, DRY_SECONDS)
    return {
        "feasible_share": share,
        "cost_low": low,
        "cost_high": high,
        "metric": metric,
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "bucket_edges": bucket_edges,
        "dry_run": asdict(dry),
        "suggestions": [asdict(item) for item in suggestions(config, costs)] if _is_poor(dry) else [],
        "samples": len(feasible),
        "bound": checked.bound,
        "size": str(resolved.space.size),
        "evaluations": config.budget.evaluations,
        "reduced_data": checked.remarks,
        "reduced_networks": networks_in_words(config, resolved.space),
        "time": timing.outlook(resolved, checked.bound),
        "warnings": _of_limits(share, len(feasible), dry) + _warnings(resolved, checked.bound),
    }


def _sample(problem: SearchProblem, seed: int) -> tuple[list[float], list[bool]]:
    """Return the known costs and the feasibility of random networks: `SAMPLES`, or fewer if the space is slow."""
    costs: list[float] = []
    feasible: list[bool] = []
    rng = Random(seed)
    end = monotonic() + SAMPLE_SECONDS
    while len(feasible) < SAMPLES and (monotonic() < end or not feasible):
        architecture = problem.space.sample(rng)
        cost = problem.cost(architecture)
        feasible.append(problem.feasible(architecture))
        if isfinite(cost):
            costs.append(cost)
    return costs, feasible


def _is_poor(dry: DryRun) -> bool:
    """Return whether less than half of the dry run's evaluations meet the limits."""
    return 2 * dry.feasible < dry.evaluations


def _of_limits(share: float, samples: int, dry: DryRun) -> list[str]:
    """Return what the sample and the dry run say about the limits, if few networks meet them."""
    warnings = []
    if not share:
        warnings.append(f"None of {samples:,} sampled networks meets the limits.")
    elif share < RARE:
        warnings.append(f"Only {share:.2%} of {samples:,} sampled networks meet the limits.")
    if dry.first_feasible is None:
        warnings.append(
            f"In a dry run with random scores, none of {dry.evaluations:,} evaluations met the limits: this search "
            "will probably end without a result."
        )
    elif _is_poor(dry):
        warnings.append(
            f"In a dry run with random scores, {dry.feasible:,} of {dry.evaluations:,} evaluations met the limits, the "
            f"first of them number {dry.first_feasible:,}."
        )
    return warnings


def _warnings(resolved: Resolved, bound: int | None) -> list[str]:
    config = resolved.config
    warnings = []
    wanted = config.budget.evaluations
    if wanted is not None and resolved.space.size < wanted:
        size = resolved.space.size
        warnings.append(f"The space has only {size:,} networks; the budget of {wanted:,} will not be spent.")
    elif wanted is not None and bound is not None and bound < wanted:
        warnings.append(f"The search ends after about {bound:,} networks; the budget of {wanted:,} will not be spent.")
    if wanted is not None and config.round_size * 2 > wanted:
        warnings.append(
            "A round takes half of the budget or more; smaller rounds let the search learn from its scores."
        )
    if isinstance(config.algorithm, MoteNASOptions):
        warnings += _of_mote_nas(config, config.algorithm)
    return warnings + _of_tables(resolved)


def _of_tables(resolved: Resolved) -> list[str]:
    """Return a warning for each table of the user's own that knows only a part of the space."""
    warnings = []
    rng = Random(resolved.config.seed)
    drawn = [resolved.space.sample(rng) for _ in range(LOOKED_UP)]
    for stage in resolved.stages:
        source = stage.options.source
        if source is None or source.official is not None:
            continue
        if isinstance(stage.table, Table) and len(stage.table) <= MOST_ROWS:
            estimator = estimator_of(resolved, stage)
            assert isinstance(estimator, TableEstimator)
            missing = sum(estimator.rows.row(architecture) is None for architecture in drawn)
            if missing:
                warnings.append(
                    f"The table of {len(stage.table):,} rows has none for {missing} of {LOOKED_UP} networks drawn at "
                    "random; networks without a row fail."
                )
    return warnings


def _of_mote_nas(config: SearchConfig, options: MoteNASOptions) -> list[str]:
    """Return what keeps MOTE-NAS from training finalists, or its guided rule from filling its pool."""
    if config.final is None:
        return ["Without a final estimate nothing is trained: this is MOTE-NAS's evaluation-free form (EF)."]
    wanted = config.budget.evaluations
    if options.rule == "guided" and wanted is not None and wanted < options.pool + config.finalists:
        return [
            f"The budget of {wanted:,} ends before the pool of {options.pool:,} networks and the finalists are through."
        ]
    return []
