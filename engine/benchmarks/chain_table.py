"""Searches on a user's table: a chain as YAML, and a CSV or Parquet file with its networks.

The table's columns are ``arch`` (names in the space's notation), ``reward`` (which is searched), ``cost`` and, if
known, ``truth`` (which is reported; without it the reward is reported). The cost of a feasible network is at most
halfway between the least and the largest cost in the table (LayerNAS, section 6.2: 50% of the range).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from engine.benchmarks.curves import Trajectory, draw
from engine.benchmarks.report import Figure, Report
from engine.blueprint import InputSpec
from engine.config.algorithms import (
    AlgorithmOptions,
    DynamicProgrammingOptions,
    LayerNASOptions,
    LocalSearchOptions,
    RandomSearchOptions,
    RegularisedEvolutionOptions,
)
from engine.config.documents import read_yaml
from engine.config.lookups import TableOptions
from engine.config.search import Budget, Objective
from engine.config.spaces import ChainOptions
from engine.errors import DataError
from engine.estimators.table import TableEstimator
from engine.loop import Trial
from engine.loop import run as run_search
from engine.metrics import TABLE_COST
from engine.problem import SearchProblem
from engine.ranking import leads, rank
from engine.registry import create_algorithm, create_space
from engine.table import Table, TableCosts

TRIALS = (50, 100, 200, 400)
TARGET = 0.5
SEARCHES: Mapping[str, AlgorithmOptions] = {
    "layernas": LayerNASOptions(),
    "dp": DynamicProgrammingOptions(),
    "re": RegularisedEvolutionOptions(),
    "local": LocalSearchOptions(),
    "rs": RandomSearchOptions(),
}


def measure(table_path: Path, space_path: Path, seeds: int, curves: Path | None = None) -> Report:
    """Return the mean truth of the networks that each search reports after `TRIALS` trials.

    DataError and ConfigError name what is wrong with the files.
    """
    table = Table.open(table_path)
    try:
        definition = read_yaml(space_path.read_text(encoding="utf-8"), "space")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{space_path.name}' cannot be read: {error}") from error
    space = create_space(ChainOptions(definition=definition), InputSpec())
    costs = TableCosts(table, space, "cost")
    low, high = costs.cost_range(())
    problem = SearchProblem(space, Objective(cost_metric=TABLE_COST, hi=low + TARGET * (high - low)), costs)
    problem.check()
    truth = "truth" if "truth" in table.number_names else "reward"
    options = TableOptions(path=table_path.name, reward="reward", truth=truth, cost="cost")
    estimator = TableEstimator(options, space, None, table)
    counts = [count for count in TRIALS if count <= len(table)] or [len(table)]
    figures = []
    trajectories = {}
    for name, algorithm in SEARCHES.items():
        budget = Budget(evaluations=counts[-1])
        found = []
        for seed in range(seeds):
            searching = create_algorithm(algorithm, problem, seed)
            found.append(_trajectory(run_search(searching, estimator, budget, 1).trials))
        trajectories[name] = found
        for count in counts:
            values = [[value for trials, value in trajectory if trials <= count] for trajectory in found]
            if all(values):  # otherwise some seed has not found a feasible network yet
                mean = fmean(value[-1] for value in values)
                figures.append(Figure(f"{name}.{count}.truth_mean", round(mean, 4), truth, "higher"))
    if curves is not None:
        title = f"{table_path.stem}: mean of {seeds} seeds"
        draw(curves, "layernas-chain", trajectories, title=title, x="Trials", y=truth, log=False)
    optimum = _optimum(table, problem, estimator)
    settings = {
        "table": table_path.name, "space": space_path.name, "seeds": seeds, "round_size": 1, "rows": len(table),
        "largest_cost": problem.objective.hi, "best_feasible_truth": optimum,
        "searches": {name: algorithm.model_dump() for name, algorithm in SEARCHES.items()},
    }  # fmt: skip
    return Report(settings, figures)


def _trajectory(trials: tuple[Trial, ...]) -> Trajectory:
    """Return trials so far and truth of the best feasible network, at each change of that network."""
    ranked = [trial for trial in trials if trial.feasible and trial.estimate.score is not None]
    led = [ranked[at] for at in leads(rank(trial.proposal.number, trial.worth) for trial in ranked)]
    steps: list[tuple[float, float]] = [(t.proposal.number + 1, t.estimate.terms["truth"]) for t in led]
    if not steps:
        raise DataError(
            "no feasible network was found in the table; does its column 'arch' name networks of the space?"
        )
    return [*steps, (len(trials), steps[-1][1])]


def _optimum(table: Table, problem: SearchProblem, estimator: TableEstimator) -> float:
    """Return the best truth among the table's feasible networks."""
    networks = [problem.space.from_string(name) for name in table.archs]
    feasible = [network for network in networks if problem.feasible(network)]
    return max(e.terms["truth"] for e in estimator.estimate_batch(feasible, seed=0) if "truth" in e.terms)
