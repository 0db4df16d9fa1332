"""The speed of LayerNAS's ask and tell, and the growth of its time and memory with the number of candidates.

There are two problems with synthetic rewards: a chain of 12 layers of 40 options with integer costs, and the 600M
MobileNet space. A profile of a thousand candidates on the chain (cProfile, shares of the whole time):

- ask takes 64%. Of these, 18 points are for listing the options of the 137 networks that are extended (40 options each;
  such a short search tries one in six), and 28 points for completing children, counting their costs and finding how far
  they are carried.
- tell takes 36%. Of these, 19 points are for putting networks into buckets and heaps.
- What is computed once (costs and intervals of the chain) takes 1%.

The first 200 candidates take 30% of the time. Each enters 3.8 buckets, which are still empty, while each of the last
200 enters 1.5; and 82 of the listings are due to the first 200, 11 to the last. An Intel Xeon core handles 66,000 to
68,000 candidates per second in a search of a thousand (medians of 21); earlier runs on machines with other load gave
24,000 to 51,000.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from random import Random
from statistics import median
from time import process_time

from engine.algorithms.layernas import LayerNAS
from engine.algorithms.proposals import Outcome
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.report import Figure, Report
from engine.blueprint import InputSpec
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.config.spaces import MobileNetOptions
from engine.problem import SearchProblem
from engine.registry import create_space
from engine.space import Architecture, SearchSpace

COUNTS = {"1e3": 1_000, "1e4": 10_000, "1e5": 100_000}
ROUND_SIZE = 8
LAYERS = 12
OPTIONS = 40
TARGET = 0.6
GOAL = 50_000
MOBILE_MADDS = 600.0
Reward = Callable[[Architecture], float]
Task = Callable[[], tuple[SearchProblem, Reward]]


def run(quick: bool) -> Report:
    """Measure searches of growing length on synthetic problems; rewards are computed while the clock is stopped."""
    counts = {name: count for name, count in COUNTS.items() if not quick or count < 100_000}
    repeats = 1 if quick else 3
    figures = _figures("", additive, counts, repeats) + _figures("mobilenet_600m.", mobilenet, counts, 1)
    settings = {
        "mobilenet_600m": {"largest_madds_m": MOBILE_MADDS, "repeats": 1},
        "layers": LAYERS, "options": OPTIONS, "target_share": TARGET, "round_size": ROUND_SIZE, "repeats": repeats,
        "clock": "CPU seconds of this process, so that other processes do not count",
        "memory": "tracemalloc: Python's allocations in a separate run",
    }  # fmt: skip
    return Report(settings, figures)


def _figures(prefix: str, task: Task, counts: Mapping[str, int], repeats: int) -> list[Figure]:
    """Return speed, growth and memory on one problem; only the additive problem has a goal for speed."""
    goal = None if prefix else GOAL
    seconds = {name: median(ask_tell_seconds(count, task) for _ in range(repeats)) for name, count in counts.items()}
    figures = [
        Figure(f"{prefix}ask_tell_per_second.{name}", round(counts[name] / value), "1/s", "higher", goal=goal)
        for name, value in seconds.items()
    ]
    *_, before, last = seconds.values()
    figures.append(Figure(f"{prefix}seconds_growth_10x", round(last / before, 2), "x", "lower", goal=11.0))
    peaks = {name: round(peak_mb(count, task), 2) for name, count in counts.items()}
    return figures + [Figure(f"{prefix}peak_mb.{name}", peak, "MB", "lower") for name, peak in peaks.items()]


def additive() -> tuple[SearchProblem, Reward]:
    """Return the chain with integer costs and a target at `TARGET` of its range."""
    space = AdditiveSpace.random(0, LAYERS, OPTIONS, largest=1_000)
    low, high = space.cost_range((), "madds_m")
    return SearchProblem(space, Objective(hi=low + TARGET * (high - low))), AdditiveReward(space, 0)


def mobilenet() -> tuple[SearchProblem, Reward]:
    """Return the largest MobileNet space, with the sum of a random reward per chosen option as its reward."""
    space = create_space(MobileNetOptions(variant="600m"), InputSpec(3, 224, 224, 1000))
    return SearchProblem(space, Objective(hi=MOBILE_MADDS)), LayerReward(space, 0)


class LayerReward:
    """A random reward for each option of each layer, summed over a network's choices."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        rng = Random(f"reward:{seed}")
        self._rewards = [[rng.random() for _ in range(count)] for count in space.option_counts()]

    def __call__(self, architecture: Architecture) -> float:
        return sum(rewards[choice] for rewards, choice in zip(self._rewards, architecture.choices, strict=True))


def ask_tell_seconds(candidates: int, task: Task = additive) -> float:
    """Return this process's CPU seconds in `ask` and `tell` until ``candidates`` candidates are reported."""
    problem, reward = task()
    algorithm = LayerNAS(LayerNASOptions(), problem, seed=0)
    told = 0
    seconds = 0.0
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


def peak_mb(candidates: int, task: Task = additive) -> float:
    """Return the peak of the memory that such a search allocates, in 10^6 bytes."""
    tracemalloc.start()
    try:
        ask_tell_seconds(candidates, task)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
