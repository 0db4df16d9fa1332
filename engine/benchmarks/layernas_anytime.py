"""A comparison of how soon searches find networks within a limit, and of how good their best network is early on.

Four algorithms search the same spaces under an upper limit on multiply-adds: LayerNAS with completions scaled to the
limits (``layernas``), LayerNAS with the paper's defaults (``layernas_plain``), random search (``random``) and
regularised evolution (``evolution``). The limit is the cost that 10, 25, 50 or 75 percent of random networks do not
exceed. Every search runs once for the largest number of evaluations, in rounds of 8. Its figures are computed from its
first 24, 48, 100 and 200 evaluations.

- ``feasible_share``: the share of evaluated networks that are within the limit, mean over seeds.
- ``best_reward``: the true reward of the feasible network with the highest score, mean over the seeds that found a
  feasible network. The figure is left out if no seed found one. A search sees only the scores, never the true rewards.
- ``ahead_of_random``: the mean of layernas' ``best_reward`` minus random search's with the same seed, with its 95 %
  interval (Student's t over paired seeds).

Rewards of the first three spaces are synthetic, and their scores are the rewards with noise. A reward is a sum over
layers: the more an option costs, the more it adds. A random part is added for each option, and another one for its
combination with the option of the layer before; the seed decides both. Every other seed multiplies the influence of
the costs by 0.3. For the cells of NAS-Bench-201 the score is CIFAR-100's real validation accuracy after 12 epochs, and
the true reward is its test accuracy after 200 epochs. They are left out if `NASWEB_SHARED_DATA` lacks their table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import sqrt
from random import Random
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t

from engine.benchmarks.report import Figure, Report, shared_data
from engine.blueprint import InputSpec
from engine.config.algorithms import AlgorithmOptions, LayerNASOptions, RandomSearchOptions, RegularisedEvolutionOptions
from engine.config.lookups import TableOptions
from engine.config.search import Budget, Objective
from engine.config.spaces import ChainOptions, MobileNetOptions, NasBench201Options, NatsSizeOptions
from engine.estimate import Estimate, Estimator
from engine.estimators.table import TableEstimator
from engine.loop import Trial
from engine.loop import run as run_search
from engine.problem import SearchProblem
from engine.registry import create_algorithm, create_space
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop, never
from engine.table import Table

SEEDS = 20
LIMITS = (10, 25, 50, 75)
EVALUATIONS = (24, 48, 100, 200)
ROUND_SIZE = 8
SAMPLED = 1_000
METRIC = "madds_m"
NOISE = 0.3
SLOPES = (1.0, 0.3)
"""The reward of a layer's most expensive option minus that of its cheapest, without random parts; seeds take turns."""
ALGORITHMS: Mapping[str, AlgorithmOptions] = {
    "layernas": LayerNASOptions(completion="scaled"),
    "layernas_plain": LayerNASOptions(),
    "random": RandomSearchOptions(),
    "evolution": RegularisedEvolutionOptions(population=16, tournament=4),
}
CELLS = "nasbench201"
TABLE = shared_data("nasbench201.parquet")
SMALL_IMAGES = InputSpec(3, 64, 64, 10)
Reward = Callable[[Architecture], float]


def deep_chain() -> SearchSpace:
    """Return a chain of 22 inverted residual blocks with the widths and strides of FBNet, for images of 64x64."""
    widths = [16, *[24] * 4, *[32] * 4, *[64] * 4, *[112] * 4, *[184] * 4, 352]
    layers: list[dict[str, Any]] = []
    for place, width in enumerate(widths):
        block = {"block": "inverted_residual", "width": [width], "kernel": [5, 3], "expansion": [6, 3, 1]}
        options: dict[str, Any] = {"block": block}
        stride = 2 if place in (1, 5, 9, 17) else 1
        if stride == 1 and place and widths[place - 1] == width:
            options["skip"] = "identity"
        layers.append({"name": f"block {place + 1}", "stride": stride, "options": options})
    definition = {"name": "FBNet-like", "stem": {"width": 16, "stride": 2}, "layers": layers}
    return create_space(ChainOptions(definition=definition), SMALL_IMAGES)


SPACES: Mapping[str, Callable[[], SearchSpace]] = {
    "mobilenet60m": lambda: create_space(MobileNetOptions(variant="60m"), SMALL_IMAGES),
    "chain22": deep_chain,
    "nats_size": lambda: create_space(NatsSizeOptions(), InputSpec()),
    CELLS: lambda: create_space(NasBench201Options(), InputSpec()),
}


def synthetic(space: SearchSpace, seed: int) -> Reward:
    """Return the function that maps a network of the space to its true reward, a sum over its layers."""
    slope = SLOPES[seed % len(SLOPES)]

    @cache
    def part(layer: int, before: int, choice: int, count: int) -> float:
        own = Random(f"reward:{seed}:{layer}:{choice}").gauss(0, 0.3)
        pair = Random(f"reward:{seed}:{layer}:{before}:{choice}").gauss(0, 0.1)
        return own + pair - slope * choice / max(1, count - 1)

    def reward(architecture: Architecture) -> float:
        choices = architecture.choices
        before = (-1, *choices)
        counts = [len(space.options(choices[:layer])) for layer in range(space.depth)]
        return sum(map(part, range(space.depth), before, choices, counts))

    return reward


class Noisy:
    """An estimator whose score is the true reward plus noise; the term ``truth`` is the reward without noise."""

    def __init__(self, reward: Reward, seed: int) -> None:
        self._reward = reward
        self._seed = seed

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one estimate per item."""
        found = []
        for item in items:
            true = self._reward(item)
            noise = Random(f"noise:{self._seed}:{item.choices}").gauss(0, NOISE)
            found.append(Estimate(true + noise, terms={"truth": true}, seed=seed, fidelity=fidelity))
        return found

    def seconds(self, item: Architecture) -> float:
        """Return 0, because evaluations are free."""
        return 0.0


def estimator_of(name: str, space: SearchSpace, seed: int) -> Estimator:
    """Return the estimator for a space in the search with this seed."""
    if name != CELLS:
        return Noisy(synthetic(space, seed), seed)
    options = TableOptions(path=str(TABLE), reward="cifar100_val_acc_12", truth="cifar100_test_acc_200")
    return TableEstimator(options, space, None, Table.open(TABLE))


def run(quick: bool) -> Report:
    """Search every space under every limit with every algorithm and seed."""
    seeds = 2 if quick else SEEDS
    limits = LIMITS[:1] if quick else LIMITS
    evaluations = EVALUATIONS[:2] if quick else EVALUATIONS
    names = [name for name in SPACES if name != CELLS or TABLE.is_file()]
    settings = {
        "spaces": names,
        "limits": [f"{limit} % of random networks" for limit in limits],
        "metric": METRIC,
        "seeds": seeds,
        "round_size": ROUND_SIZE,
        "noise": NOISE,
        "slopes": SLOPES,
        "algorithms": {name: options.model_dump(mode="json") for name, options in ALGORITHMS.items()},
    }
    figures: list[Figure] = []
    for name in names:
        space = SPACES[name]()
        for limit in limits:
            figures += _measured(name, space, limit, seeds, evaluations)
    return Report(settings, figures)


def limit_of(space: SearchSpace, percent: int) -> float:
    """Return the cost that ``percent`` percent of random networks do not exceed, in the metric's unit."""
    rng = Random("limits")
    costs = sorted(space.cost(space.sample(rng)).metric(METRIC) for _ in range(SAMPLED))
    return costs[percent * SAMPLED // 100 - 1]


def _measured(name: str, space: SearchSpace, percent: int, seeds: int, evaluations: Sequence[int]) -> list[Figure]:
    problem = SearchProblem(space, Objective(cost_metric=METRIC, hi=limit_of(space, percent)))
    figures = []
    unit = "%" if name == CELLS else "reward"
    best: dict[tuple[str, int], list[float | None]] = {}
    for algorithm, options in ALGORITHMS.items():
        shares: dict[int, list[float]] = {count: [] for count in evaluations}
        for seed in range(seeds):
            search = create_algorithm(options, problem, seed)
            estimator = estimator_of(name, space, seed)
            trials = run_search(search, estimator, Budget(evaluations=evaluations[-1]), ROUND_SIZE).trials
            for count in evaluations:
                feasible = [trial for trial in trials[:count] if trial.feasible]
                shares[count].append(len(feasible) / len(trials[:count]))
                chosen = max(feasible, key=_score, default=None)
                reward = None if chosen is None else chosen.estimate.terms["truth"]
                best.setdefault((algorithm, count), []).append(reward)
        for count in evaluations:
            place = f"{name}.{percent}.{count}"
            figures.append(Figure(f"feasible_share.{place}.{algorithm}", fmean(shares[count]), "share", "higher"))
            if known := [reward for reward in best[algorithm, count] if reward is not None]:
                figures.append(Figure(f"best_reward.{place}.{algorithm}", fmean(known), unit, "higher"))
    for count in evaluations:
        pairs = zip(best["layernas", count], best["random", count], strict=True)
        ahead = [own - other for own, other in pairs if own is not None and other is not None]
        figures += _interval(f"ahead_of_random.{name}.{percent}.{count}", ahead, unit)
    return figures


def _score(trial: Trial) -> float:
    assert trial.estimate.score is not None
    return trial.estimate.score


def _interval(name: str, differences: Sequence[float], unit: str) -> list[Figure]:
    """Return the mean of paired differences and the ends of its 95 % interval; nothing for fewer than two pairs."""
    if len(differences) < 2:
        return []
    mean = fmean(differences)
    half = float(t.ppf(0.975, len(differences) - 1)) * stdev(differences) / sqrt(len(differences))
    ends = {"": mean, "_low": mean - half, "_high": mean + half}
    return [Figure(f"{name}{end}", value, unit, "higher", goal=0.0) for end, value in ends.items()]
