"""MOTE-NAS on NAS-Bench-201's real table (MOTE, table 1): the published and the guided rule at the paper's cost.

A network's estimate is the authors' MOTE, and the search is charged the seconds that it took on their V100. A
finalist's short training comes from the table: the validation accuracy after 12 epochs decides, and the test accuracy
after 200 epochs is reported. Validation accuracies are rounded to 0.001 percent so that equal cells tie; among tied
finalists the one with the better estimate wins. For CIFAR-10 only half of the table's seconds are charged, because its
validation accuracy comes from a run of half the length. No search spends more than the paper's cost of its row. A
guided search with a smaller budget is the beginning of the same search with a larger one. So one guided search per seed
gives the results of all rows with finalists.

``own_scores`` are guided searches with our own scores (`engine.benchmarks.mote_nas_own`) and the options `OWN`. At most
`OWN_CELLS` cells are scored before the first finalist, or in the whole search if it has no finalists. Scores are kept
between runs, and every run adds more. The mean is over the seeds whose cells are all scored; ``own_seeds`` in the
settings is their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from engine.benchmarks.mote_nas_own import OwnScores
from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import InputSpec
from engine.config.algorithms import MoteNASOptions
from engine.config.lookups import TableOptions
from engine.config.search import Final, Objective
from engine.config.spaces import NasBench201Options
from engine.errors import Stopped
from engine.estimate import Estimator
from engine.estimators.table import TableEstimator
from engine.loop import Judge, RunResult, Trial, played
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from engine.rounds import BudgetMeter, Rounds
from engine.spaces.nasbench201 import NasBench201Space
from engine.table import Table

FACTORS = {"cifar10": 0.5, "cifar100": 1.0, "imagenet16_120": 1.0}
ROWS = {"ef": 1, "5": 5, "10": 10, "20": 20}
"""The rows of the paper's table with their number of finalists k."""
PAPER_COST = {
    "cifar10": {"ef": 500, "5": 2_200, "10": 4_200, "20": 8_500},
    "cifar100": {"ef": 600, "5": 2_400, "10": 4_300, "20": 8_500},
    "imagenet16_120": {"ef": 600, "5": 5_800, "10": 11_300, "20": 22_700},
}
PAPER_ACCURACY = {
    "cifar10": {"ef": 93.54, "5": 93.97, "10": 94.15, "20": 94.32},
    "cifar100": {"ef": 71.59, "5": 71.89, "10": 72.54, "20": 72.81},
    "imagenet16_120": {"ef": 44.73, "5": 46.10, "10": 46.38, "20": 46.34},
}
GOALS = {"cifar10": 94.1, "cifar100": 72.1, "imagenet16_120": 46.2}
"""Goals for the test accuracy in percent at k = 20."""
SOURCE = "MOTE-NAS paper, table 1"
GUIDED = MoteNASOptions(rule="guided", together=1)
PUBLISHED = MoteNASOptions(rule="published")
RANDOM = MoteNASOptions(rule="published", sampling="random")
OWN = MoteNASOptions(rule="guided", together=1, pool=100, scouts=4)
OWN_CELLS = 100
OWN_ROWS = {"ef": 0, "20": 1_000}
"""Rows with our own scores, and their largest number of finalists."""
SHARE = 0.7
"""The share of the seconds that is reserved for finalists."""
MOST = 1_000
"""The largest number of finalists of a guided search, so large that only the seconds end the search."""


@dataclass(frozen=True)
class Bench:
    """The table with its search problem."""

    table: Table
    problem: SearchProblem

    @classmethod
    def of(cls, table: Table) -> Bench:
        """Return the benchmark of a table; a search chooses the operations of a cell edge by edge."""
        return cls(table, SearchProblem(NasBench201Space(NasBench201Options(form="edge"), InputSpec()), Objective()))

    def authors(self) -> TableEstimator:
        """Return the estimator of the authors' MOTE with its seconds."""
        options = TableOptions(path="nasbench201", reward="mote_official", seconds="mote_train_seconds_v100")
        return TableEstimator(options, self.problem.space, None, self.table)

    def judge(self, dataset: str) -> Judge:
        """Return the estimator of the short training; its ``truth`` is the test accuracy."""
        reward = f"{dataset}_val_acc_12"
        options = TableOptions(
            path="nasbench201", reward=reward, truth=f"{dataset}_test_acc_200",
            seconds=f"{dataset}_train_seconds_12", seconds_factor=FACTORS[dataset],
        )  # fmt: skip
        return Judge(TableEstimator(options, self.problem.space, None, self.table.rounded(reward, 3)))

    def search(
        self,
        options: MoteNASOptions,
        dataset: str,
        row: str,
        seed: int,
        finalists: int,
        estimator: Estimator,
        cells: int | None = None,
    ) -> list[Trial]:
        """Run one search with the paper's cost of its row as budget and at most ``cells`` cells; return its trials."""
        judge = self.judge(dataset) if finalists else None
        final = Final(estimator=TableOptions(path="nasbench201", reward="final"), count=max(finalists, 1), share=SHARE)
        meter = BudgetMeter(cells, PAPER_COST[dataset][row], final=final if finalists else None)
        algorithm = create_algorithm(options, self.problem, seed, finalists)
        judges = [Judge(estimator), *([] if judge is None else [judge])]
        return [trial for batch in played(Rounds(algorithm, 1, meter), judges) for trial in batch]

    def chosen(self, trials: Sequence[Trial], dataset: str) -> float:
        """Return the test accuracy, in percent, of the best network of a search."""
        best = RunResult(tuple(trials), "budget").best
        assert best is not None
        name = self.problem.space.to_string(best.proposal.architecture)
        return float(self.table.numbers(f"{dataset}_test_acc_200")[self.table.row_of[name]])


@dataclass(frozen=True)
class Replay:
    """The result of a search: test accuracy in percent, and cost in seconds."""

    accuracy: float
    seconds: float


def run(quick: bool) -> Report:
    """Run every row on the three data sets, and return the figures."""
    path = shared_data("nasbench201.parquet")
    seeds = 3 if quick else 30
    rules = {"best": GUIDED, "published_rule": PUBLISHED, "rs": RANDOM}
    settings = {
        "seeds": seeds, "round_size": 1, "share_kept_for_finalists": SHARE, "estimate": "the authors' MOTE",
        "rules": {name: options.model_dump() for name, options in rules.items()},
        "chosen_by": "validation accuracy of the chosen cells on seeds 1000 to 1007, mean of the three data sets",
    }  # fmt: skip
    if not path.is_file():
        return Report(settings, skipped=f"no table at {path}; set NASWEB_SHARED_DATA to the folder with it")
    bench = Bench.of(Table.open(path))
    figures: list[Figure] = []
    for dataset in FACTORS:
        figures += _figures(bench, dataset, range(seeds))
    if not quick and OwnScores.available():
        found, counted = _own_figures(bench, seeds)
        figures += found
        settings |= counted
    return Report(settings, figures)


def guided(bench: Bench, dataset: str, seed: int, rows: Sequence[str] = tuple(ROWS)) -> dict[str, Replay]:
    """Return the result of the guided rule at each row's cost."""
    found = {}
    authors = bench.authors()
    if "ef" in rows:
        found["ef"] = _replay(bench, dataset, bench.search(GUIDED, dataset, "ef", seed, 0, authors))
    with_finalists = [row for row in rows if row != "ef"]
    if with_finalists:
        largest = max(with_finalists, key=lambda row: PAPER_COST[dataset][row])
        trials = bench.search(GUIDED, dataset, largest, seed, MOST, authors)
        for row in with_finalists:
            found[row] = _replay(bench, dataset, _beginning(trials, PAPER_COST[dataset][row]))
    return found


def published(bench: Bench, dataset: str, seed: int, row: str, options: MoteNASOptions = PUBLISHED) -> Replay:
    """Return the result of the published rule, or of its random variant, with the row's k."""
    finalists = 0 if row == "ef" else ROWS[row]
    return _replay(bench, dataset, bench.search(options, dataset, row, seed, finalists, bench.authors()))


def _own_figures(bench: Bench, seeds: int) -> tuple[list[Figure], dict[str, object]]:
    """Return means over the seeds whose cells are all scored, and settings for the report.

    All rows and data sets of one seed are run before the next seed.
    """
    scores = OwnScores(bench.problem.space)
    found: dict[str, list[Replay]] = {}
    complete = 0
    with suppress(Stopped):
        for seed in range(seeds):
            of_seed = {
                f"{dataset}.{row}": _replay(bench, dataset, own_search(bench, dataset, row, seed, scores))
                for row in OWN_ROWS
                for dataset in FACTORS
            }
            for name, outcome in of_seed.items():
                found.setdefault(name, []).append(outcome)
            complete += 1
    figures = []
    for name, outcomes in found.items():
        dataset, row = name.split(".")
        figures += [
            _accuracy(f"{name}.own_scores.test_acc_mean", outcomes, PAPER_ACCURACY[dataset][row], SOURCE),
            _seconds(f"{name}.own_scores.cost_seconds", outcomes, PAPER_COST[dataset][row]),
        ]
    options = {**scores.options.model_dump(), "recipe": scores.options.recipe}
    return figures, {"own_seeds": complete, "own_cells_scored": scores.cells, "own_estimate": options}


def own_search(bench: Bench, dataset: str, row: str, seed: int, scores: Estimator) -> list[Trial]:
    """Run a guided search with our scores; without finalists it ends after `OWN_CELLS` cells or at the paper's cost."""
    cells = None if OWN_ROWS[row] else OWN_CELLS
    return bench.search(OWN, dataset, row, seed, OWN_ROWS[row], scores, cells)


def _beginning(trials: Sequence[Trial], seconds: float) -> list[Trial]:
    """Return the trials before the first one that exceeds the budget."""
    meter = BudgetMeter(seconds=seconds)
    found = []
    for trial in trials:
        if not meter.fits(trial.estimate.seconds):
            break
        meter.charge(trial.estimate.seconds)
        found.append(trial)
    return found


def _replay(bench: Bench, dataset: str, trials: Sequence[Trial]) -> Replay:
    return Replay(bench.chosen(trials, dataset), sum(trial.estimate.seconds for trial in trials))


def _figures(bench: Bench, dataset: str, seeds: Sequence[int]) -> list[Figure]:
    paper = PAPER_ACCURACY[dataset]
    costs = PAPER_COST[dataset]
    ours = [guided(bench, dataset, seed) for seed in seeds]
    figures = []
    for row in ROWS:
        rule = [published(bench, dataset, seed, row) for seed in seeds]
        best = [outcomes[row] for outcomes in ours]
        goal = GOALS[dataset] if row == "20" else None
        name = f"{dataset}.{row}"
        figures += [
            _accuracy(f"{name}.test_acc_mean", best, paper[row], SOURCE, goal),
            _seconds(f"{name}.cost_seconds", best, costs[row]),
            _accuracy(f"{name}.published_rule.test_acc_mean", rule, paper[row], SOURCE),
            _seconds(f"{name}.published_rule.cost_seconds", rule, costs[row]),
        ]
    random = [published(bench, dataset, seed, "20", RANDOM) for seed in seeds]
    evolved = next(figure.value for figure in figures if figure.name == f"{dataset}.20.published_rule.test_acc_mean")
    figures.append(_accuracy(f"{dataset}.rs.test_acc_mean", random, evolved, "the published rule at k = 20, this run"))
    return figures


def _accuracy(name: str, outcomes: Sequence[Replay], anchor: float, source: str, goal: float | None = None) -> Figure:
    mean = round(fmean(outcome.accuracy for outcome in outcomes), 3)
    return Figure(name, mean, "%", "higher", goal=goal, anchor=anchor, anchor_source=source)


def _seconds(name: str, outcomes: Sequence[Replay], paper: float) -> Figure:
    mean = round(fmean(outcome.seconds for outcome in outcomes), 1)
    return Figure(name, mean, "s", "lower", anchor=paper, anchor_source=SOURCE)
