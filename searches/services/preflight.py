"""Looking before launching: whether anything is within reach, and how the costs of the space lie against the limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from random import Random
from time import monotonic
from typing import Any

import numpy as np

from engine.config.algorithms import MoteNASOptions
from engine.config.estimators import MoteOptions
from engine.config.search import SearchConfig
from engine.errors import ConfigError, FieldError
from engine.estimators.table import TableEstimator
from engine.problem import SearchProblem
from engine.proxies import check_proxy
from engine.reduction.architecture import explanation
from engine.reduction.choice import reduction_for
from engine.space import Choices
from engine.table import Table
from searches.services import timing
from searches.services.estimators import estimator_of
from searches.services.resolving import PATHS, Resolved, resolve

SAMPLES = 2_000
SAMPLE_SECONDS = 0.6
BINS = 30
PROBES = 20_000
RARE = 0.01
LOOKED_UP = 100
MOST_ROWS = 50_000
"""Of a table that is looked up here: the first network it does not know has all its rows read."""


def check(resolved: Resolved) -> None:
    """ConfigError at its field when no network meets the limits, each alone or all together, or none can be scored."""
    problem = resolved.problem
    problem.check()
    for path, options in zip(PATHS, resolved.config.estimators, strict=False):
        if options.kind == "proxy":
            with of_stage(path):
                check_proxy(options.name, problem.space)
    for path, stage in zip(PATHS, resolved.stages, strict=False):
        if stage.inline:
            with of_stage(path):
                estimator = estimator_of(resolved, stage)  # its columns are there
                if stage.options.kind != "table":
                    continue
                assert isinstance(estimator, TableEstimator)
                if foreign := estimator.rows.foreign():
                    message = f"The table names no network of this space, but '{foreign}'; choose the space it is of."
                    raise ConfigError.at(f"{PATHS[0]}.table", message)
    reductions(resolved)
    if all(lo is None and hi is None for _, lo, hi in problem.limits) or _any_feasible(problem):
        return
    objective = problem.objective
    if objective.constraints:
        raise ConfigError.at(
            "objective.constraints", "No network was found that meets all limits together; widen one of them."
        )
    end = "lo" if objective.hi is None else "hi"
    raise ConfigError.at(f"objective.{end}", "No network was found between the two limits; widen them.")


def reductions(resolved: Resolved) -> list[str]:
    """For every MOTE estimate of a search, which reduced data it trains on, why, and what that costs."""
    found = []
    for path, options in zip(PATHS, resolved.config.estimators, strict=False):
        if isinstance(options, MoteOptions) and resolved.data_info:
            with of_stage(path):
                data = resolved.data_info
                found.append(reduction_for(options, data["class_names"], data["counts"]["train"]).why)
    return found


def _mote(resolved: Resolved) -> list[MoteOptions]:
    return [options for options in resolved.config.estimators if isinstance(options, MoteOptions)]


@contextmanager
def of_stage(path: str) -> Iterator[None]:
    """Complaints about an estimate go to the fields of the stage that it belongs to."""
    try:
        yield
    except ConfigError as error:
        own = [FieldError(item.path.replace(PATHS[0], path, 1), item.message) for item in error.errors]
        raise ConfigError(own) from error


def bound_of(resolved: Resolved) -> int | None:
    """The algorithm's bound on trials, at most the space's size, finalists on top; None where it has none."""
    bound = resolved.algorithm().bound()
    return None if bound is None else min(bound, resolved.space.size) + resolved.config.finalists


def preflight(owner: Any, config: SearchConfig) -> dict[str, Any]:
    """A seeded sample of the space's costs, the share that is feasible, bounds and warnings; nothing is created."""
    resolved = resolve(owner, config)
    check(resolved)
    problem, metric = resolved.problem, resolved.problem.metric
    costs, feasible = _sample(problem, config.seed)
    low, high = problem.cost_range((), metric)
    counts, edges = np.histogram(costs, bins=BINS, range=(low, high) if high > low else None)
    algorithm = resolved.algorithm()
    bound = bound_of(resolved)
    names = [resolved.space.layer_names[layer] for layer in algorithm.searched_layers()]
    edges_of_layers = zip(names, algorithm.bucket_edges(), strict=False)
    share = sum(feasible) / len(feasible)
    return {
        "feasible_share": share,
        "cost_low": low,
        "cost_high": high,
        "metric": metric,
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "bucket_edges": [{"layer": name, "edges": ends} for name, ends in edges_of_layers],
        "samples": len(feasible),
        "bound": bound,
        "size": str(resolved.space.size),
        "evaluations": config.budget.evaluations,
        "reduced_data": reductions(resolved),
        "reduced_networks": [
            explanation(resolved.space, options.profile, options.network) for options in _mote(resolved)
        ],
        "time": timing.outlook(resolved, bound),
        "warnings": _warnings(resolved, share, len(feasible), bound),
    }


def _sample(problem: SearchProblem, seed: int) -> tuple[list[float], list[bool]]:
    """Known costs and feasibility of random networks; fewer than `SAMPLES` where the space is slow."""
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


def _warnings(resolved: Resolved, share: float, samples: int, bound: int | None) -> list[str]:
    config, warnings = resolved.config, []
    wanted = config.budget.evaluations
    if share < RARE:
        warnings.append(
            f"Only {share:.2%} of {samples:,} sampled networks meet the limits; the search stays within them."
        )
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
    """Tables that know but a part of the space: what they do not know fails."""
    warnings, rng = [], Random(resolved.config.seed)
    drawn = [resolved.space.sample(rng) for _ in range(LOOKED_UP)]
    for stage in resolved.stages:
        if stage.options.kind == "table" and isinstance(stage.table, Table) and len(stage.table) <= MOST_ROWS:
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
    """What keeps MOTE-NAS from training finalists, or its guided rule from filling its pool."""
    if config.final is None:
        return ["Without a final estimate nothing is trained: this is MOTE-NAS's evaluation-free form (EF)."]
    wanted = config.budget.evaluations
    if options.rule == "guided" and wanted is not None and wanted < options.pool + config.finalists:
        return [
            f"The budget of {wanted:,} ends before the pool of {options.pool:,} networks and the finalists are through."
        ]
    return []


def _any_feasible(problem: SearchProblem) -> bool:
    """Depth-first in random order through the prefixes whose intervals meet the limits; gives up after `PROBES`."""
    rng, probes = Random(0), 0
    stack: list[Choices] = [()]
    while stack and probes < PROBES:
        prefix = stack.pop()
        probes += 1
        if not problem.reachable(prefix):
            continue
        if len(prefix) == problem.space.depth:
            if problem.feasible(problem.space.complete(prefix)):
                return True
            continue
        children = [(*prefix, choice) for choice in range(len(problem.space.options(prefix)))]
        rng.shuffle(children)
        stack.extend(children)
    return False
