"""LayerNAS and its rivals on NAS-Bench-201's real table (LayerNAS, table 3): 12-epoch validation selects, the test
accuracy after 200 epochs is reported.

A trial costs its training seconds, half of them for CIFAR-10, whose validation accuracy comes from a run of half the
length. Rewards are rounded to 0.001 percent so that equal cells tie. A search with 1e4 s is the beginning of the same
search with 1e5 s, so each is run once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev

from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import InputSpec
from engine.config.algorithms import (
    AlgorithmOptions,
    DynamicProgrammingOptions,
    LayerNASOptions,
    LocalSearchOptions,
    PPOOptions,
    RandomSearchOptions,
    RegularisedEvolutionOptions,
)
from engine.config.estimators import TableOptions
from engine.config.search import Objective
from engine.config.spaces import NasBench201Options
from engine.estimators.table import TableEstimator
from engine.loop import BudgetMeter, Trial, rounds
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from engine.spaces.nasbench201 import NasBench201Space
from engine.table import Table

FACTORS = {"cifar10": 0.5, "cifar100": 1.0, "imagenet16_120": 1.0}
BUDGETS = {"1e4": 1e4, "1e5": 1e5}
PUBLISHED = {
    "plain": {"cifar10": 94.34, "cifar100": 73.01, "imagenet16_120": 46.58},
    "re": {"cifar10": 94.13, "cifar100": 71.40, "imagenet16_120": 44.76},
    "ppo": {"cifar10": 94.02, "cifar100": 71.68, "imagenet16_120": 44.95},
    "rs": {"cifar10": 92.39, "cifar100": 63.54, "imagenet16_120": 42.71},
}
SEARCHES: Mapping[str, AlgorithmOptions] = {
    "plain": LayerNASOptions(bucketing="unique"),
    "re": RegularisedEvolutionOptions(),
    "ppo": PPOOptions(),
    "dp": DynamicProgrammingOptions(bucketing="unique"),
    "local": LocalSearchOptions(),
    "rs": RandomSearchOptions(),
}
"""The plain rules of LayerNAS, and its rivals as in appendix B; nothing limits costs, so each maximises the score."""


def run(quick: bool) -> Report:
    """Every search on the three data sets."""
    path = shared_data("nasbench201.parquet")
    seeds = 3 if quick else 50
    searches = {name: options.model_dump() for name, options in SEARCHES.items()}
    settings = {"seeds": seeds, "round_size": 1, "searches": searches, "std": "over seeds, population"}
    if not path.is_file():
        return Report(settings, skipped=f"no table at {path}; set NASWEB_SHARED_DATA to the folder with it")
    table = Table.open(path)
    figures: list[Figure] = []
    for dataset in FACTORS:
        for name, accuracies in chosen_accuracies(table, dataset, seeds).items():
            figures += _figures(dataset, name, accuracies)
    return Report(settings, figures)


def chosen_accuracies(table: Table, dataset: str, seeds: int) -> dict[str, list[float]]:
    """Test accuracy in percent of the cell each search chose, by ``<budget>.<algorithm>``."""
    reward = f"{dataset}_val_acc_12"
    space = NasBench201Space(NasBench201Options(), InputSpec())
    problem = SearchProblem(space, Objective())
    options = TableOptions(
        path="nasbench201", reward=reward, truth=f"{dataset}_test_acc_200",
        seconds=f"{dataset}_train_seconds_12", seconds_factor=FACTORS[dataset],
    )  # fmt: skip
    estimator = TableEstimator(options, space, None, table.rounded(reward, 3))
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        for name, search in SEARCHES.items():
            algorithm = create_algorithm(search, problem, seed)
            told = rounds(algorithm, estimator, BudgetMeter(seconds=max(BUDGETS.values())), 1)
            trials = [trial for batch in told for trial in batch]
            for budget, seconds in BUDGETS.items():
                found.setdefault(f"{budget}.{name}", []).append(_chosen(trials, seconds))
    return found


def _chosen(trials: Sequence[Trial], seconds: float) -> float:
    """Truth of the best trial before the first one that exceeds the budget; of equals, the first scored."""
    meter = BudgetMeter(seconds=seconds)
    best: Trial | None = None
    for trial in trials:
        if not meter.fits(trial.estimate.seconds):
            break
        meter.charge(trial.estimate.seconds)
        score = trial.estimate.score
        if score is not None and (best is None or best.estimate.score is None or score > best.estimate.score):
            best = trial
    assert best is not None
    return best.estimate.terms["truth"]


def _figures(dataset: str, name: str, accuracies: Sequence[float]) -> list[Figure]:
    budget, algorithm = name.split(".")
    published = PUBLISHED.get(algorithm, {}).get(dataset) if budget == "1e5" else None
    source = None if published is None else "LayerNAS paper, table 3, 5 runs"
    mean = Figure(
        f"{dataset}.{name}.test_acc_mean", round(fmean(accuracies), 3), "%", "higher",
        anchor=published, anchor_source=source,
    )  # fmt: skip
    return [mean, Figure(f"{dataset}.{name}.test_acc_std", round(pstdev(accuracies), 3), "%", "lower")]
