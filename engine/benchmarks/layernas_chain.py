"""Does LayerNAS reach the brute-force optimum of random additive problems with one bucket a cost?"""

from __future__ import annotations

from itertools import product
from random import Random

from engine.algorithms.base import Outcome
from engine.algorithms.layernas import LayerNAS
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.report import Figure, Report
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.problem import SearchProblem

PROBLEMS = 200


def run(quick: bool) -> Report:
    """The share of problems whose optimum was found."""
    count = 20 if quick else PROBLEMS
    found = sum(finds_optimum(seed, LayerNASOptions()) for seed in range(count))
    figure = Figure("optimum_found_share.layernas", found / count, "share", "higher", goal=1.0)
    return Report({"problems": count, "layers": "2-5", "options": "2-4", "round_size": 8}, [figure])


def finds_optimum(seed: int, options: LayerNASOptions) -> bool:
    """Whether LayerNAS, run until nothing is left, scores the best feasible network of the problem of that seed.

    ``options.buckets`` is replaced by the number of different costs there may be.
    """
    rng = Random(f"chain:{seed}")
    layers, choices = rng.randint(2, 5), rng.randint(2, 4)
    space = AdditiveSpace.random(seed, layers, choices, largest=9)
    reward = AdditiveReward(space, seed)
    low, high = space.cost_range((), "madds_m")
    hi = float(rng.randint(int(low), int(high)))
    lo = max(0.0, hi - rng.randint(0, 6)) if rng.random() < 0.5 else None
    problem = SearchProblem(space, Objective(lo=lo, hi=hi))
    networks = map(space.architecture, product(range(choices), repeat=layers))
    optimum = max((reward(a) for a in networks if problem.feasible(a)), default=None)
    algorithm = LayerNAS(options.model_copy(update={"buckets": int(high - low) + 1}), problem, seed)
    scores = []
    while proposals := algorithm.ask(8):
        for proposal in proposals:
            score = reward(proposal.architecture)
            algorithm.tell(Outcome(proposal.number, score))
            if problem.feasible(proposal.architecture):
                scores.append(score)
    return max(scores, default=None) == optimum
