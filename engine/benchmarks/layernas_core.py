"""How fast LayerNAS asks and tells, and how its time and memory grow with the number of candidates."""

from __future__ import annotations

import tracemalloc
from statistics import median
from time import process_time

from engine.algorithms.base import Outcome
from engine.algorithms.layernas import LayerNAS
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.report import Figure, Report
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.problem import SearchProblem

COUNTS = {"1e3": 1_000, "1e4": 10_000, "1e5": 100_000}
ROUND_SIZE = 8
LAYERS, OPTIONS, TARGET = 12, 40, 0.6
GOAL = 50_000


def run(quick: bool) -> Report:
    """Searches of growing length on one synthetic problem; rewards are computed outside the clock."""
    counts = {name: count for name, count in COUNTS.items() if not quick or count < 100_000}
    repeats = 1 if quick else 3
    seconds = {name: median(ask_tell_seconds(count) for _ in range(repeats)) for name, count in counts.items()}
    figures = [
        Figure(f"ask_tell_per_second.{name}", round(counts[name] / value), "1/s", "higher", goal=GOAL)
        for name, value in seconds.items()
    ]
    *_, before, last = seconds.values()
    figures.append(Figure("seconds_growth_10x", round(last / before, 2), "x", "lower", goal=10.0))
    figures += [Figure(f"peak_mb.{name}", round(peak_mb(count), 2), "MB", "lower") for name, count in counts.items()]
    settings = {
        "layers": LAYERS, "options": OPTIONS, "target_share": TARGET, "round_size": ROUND_SIZE, "repeats": repeats,
        "clock": "CPU seconds of the one process, so that neighbours do not count",
        "memory": "tracemalloc: what Python allocated in a run of its own",
    }  # fmt: skip
    return Report(settings, figures)


def ask_tell_seconds(candidates: int) -> float:
    """CPU seconds of this process inside `ask` and `tell` until so many candidates are told."""
    space = AdditiveSpace.random(0, LAYERS, OPTIONS, largest=1_000)
    reward = AdditiveReward(space, 0)
    algorithm = LayerNAS(LayerNASOptions(), _problem(space), seed=0)
    told, seconds = 0, 0.0
    while told < candidates:
        start = process_time()
        proposals = algorithm.ask(min(ROUND_SIZE, candidates - told))
        seconds += process_time() - start
        if not proposals:
            raise RuntimeError(f"the synthetic space was exhausted after {told} candidates")
        outcomes = [Outcome(proposal.number, reward(proposal.architecture)) for proposal in proposals]
        start = process_time()
        for outcome in outcomes:
            algorithm.tell(outcome)
        seconds += process_time() - start
        told += len(proposals)
    return seconds


def peak_mb(candidates: int) -> float:
    """Peak of 10^6 bytes allocated by such a search."""
    tracemalloc.start()
    try:
        ask_tell_seconds(candidates)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _problem(space: AdditiveSpace) -> SearchProblem:
    low, high = space.cost_range((), "madds_m")
    return SearchProblem(space, Objective(hi=low + TARGET * (high - low)))
