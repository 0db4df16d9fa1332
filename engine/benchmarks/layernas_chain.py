"""A check that LayerNAS and dynamic programming find the optimum of random additive problems with a bucket per cost."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

from engine.algorithms.proposals import Outcome
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.chain_table import measure
from engine.benchmarks.report import Figure, Report
from engine.config.algorithms import DynamicProgrammingOptions, LayerNASOptions
from engine.config.search import Objective
from engine.errors import DataError
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from engine.rounds import Rounds

PROBLEMS = 200
SEEDS = 50
LayeredOptions = LayerNASOptions | DynamicProgrammingOptions
ALGORITHMS: dict[str, LayeredOptions] = {
    "layernas": LayerNASOptions(),
    "layernas_scaled": LayerNASOptions(completion="scaled"),
    "dp": DynamicProgrammingOptions(),
}


def run(quick: bool, table: Path | None = None, space: Path | None = None, curves: Path | None = None) -> Report:
    """Return the share of problems whose brute-force optimum was found.

    With a table and its space, return the results of searches on these instead.
    """
    if table is not None and space is not None:
        return measure(table, space, 3 if quick else SEEDS, curves)
    if table is not None or space is not None or curves is not None:
        raise DataError("give --table and --space together; --curves needs both")
    count = 20 if quick else PROBLEMS
    figures = []
    for name, options in ALGORITHMS.items():
        found = sum(finds_optimum(seed, options) for seed in range(count))
        figures.append(Figure(f"optimum_found_share.{name}", found / count, "share", "higher", goal=1.0))
    return Report({"problems": count, "layers": "2-5", "options": "2-4", "round_size": 8}, figures)


def finds_optimum(seed: int, options: LayeredOptions) -> bool:
    """Return whether the algorithm, run to its end, scores the best feasible network of the problem with this seed.

    ``options.buckets`` is replaced by the largest possible number of different costs.
    """
    rng = Random(f"chain:{seed}")
    layers = rng.randint(2, 5)
    choices = rng.randint(2, 4)
    space = AdditiveSpace.random(seed, layers, choices, largest=9)
    reward = AdditiveReward(space, seed)
    low, high = space.cost_range((), "madds_m")
    hi = float(rng.randint(int(low), int(high)))
    lo = max(0.0, hi - rng.randint(0, 6)) if rng.random() < 0.5 else None
    problem = SearchProblem(space, Objective(lo=lo, hi=hi))
    networks = map(space.architecture, product(range(choices), repeat=layers))
    optimum = max((reward(a) for a in networks if problem.feasible(a)), default=None)
    algorithm = create_algorithm(options.model_copy(update={"buckets": int(high - low) + 1}), problem, seed)
    scores = []
    rounds = Rounds(algorithm, 8)
    while proposals := rounds.ask():
        rewards = [reward(proposal.architecture) for proposal in proposals]
        rounds.tell(Outcome(proposal.number, score) for proposal, score in zip(proposals, rewards, strict=True))
        found = zip(proposals, rewards, strict=True)
        scores += [score for proposal, score in found if problem.feasible(proposal.architecture)]
    return max(scores, default=None) == optimum
