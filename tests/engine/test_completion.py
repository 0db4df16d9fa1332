"""What a scaled completion promises: networks within the limits from the start, and no network twice."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from engine.algorithms.completion import DefaultCompletion, ScaledCompletion
from engine.algorithms.layernas import LayerNAS
from engine.algorithms.proposals import Outcome
from engine.benchmarks.additive import AdditiveSpace
from engine.blueprint import InputSpec
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Constraint, Objective
from engine.config.spaces import ChainOptions, MobileNetOptions, NatsSizeOptions
from engine.problem import SearchProblem
from engine.registry import create_space
from engine.space import Architecture, SearchSpace

SPEC = InputSpec(3, 64, 64, 10)


def deep_chain() -> SearchSpace:
    """Twenty-two inverted residuals, four of them with stride 2."""
    layers: list[dict[str, object]] = []
    for place in range(22):
        width = 16 * (1 + place // 5)
        block = {"block": "inverted_residual", "width": [width], "kernel": [5, 3], "expansion": [6, 3, 1]}
        layers.append({"name": f"block {place}", "options": {"ir": block}})
        if place % 5 == 1:
            layers[-1]["stride"] = 2
    definition = {"name": "deep", "stem": {"width": 16, "stride": 2}, "layers": layers}
    return create_space(ChainOptions(definition=definition), SPEC)


SPACES = {
    "deep chain": deep_chain,
    "mobilenet": lambda: create_space(MobileNetOptions(), SPEC),
    "sizes": lambda: create_space(NatsSizeOptions(), SPEC),
    "additive": lambda: AdditiveSpace.random(3, 8, 4, 30),
}


def limit_at(space: SearchSpace, share: float, metric: str = "madds_m") -> float:
    """Return the cost that this share of random networks keeps to."""
    costs = sorted(space.cost(space.sample(Random(f"limit {draw}"))).metric(metric) for draw in range(300))
    return costs[int(share * 300)]


def searched(
    space: SearchSpace, objective: Objective, evaluations: int, seed: int = 0, **options: object
) -> list[bool]:
    """Run LayerNAS on random scores; return whether each network in turn was feasible."""
    problem = SearchProblem(space, objective)
    algorithm = LayerNAS(LayerNASOptions(completion="scaled", **options), problem, seed)  # type: ignore[arg-type]
    feasible: list[bool] = []
    seen: set[Architecture] = set()
    while len(feasible) < evaluations and (proposals := algorithm.ask(8)):
        for proposal in proposals:
            assert proposal.architecture not in seen
            seen.add(proposal.architecture)
            feasible.append(problem.feasible(proposal.architecture))
            algorithm.tell(Outcome(proposal.number, Random(f"{seed}:{proposal.number}").random()))
    return feasible[:evaluations]


@pytest.mark.parametrize("share", [0.05, 0.25, 0.75])
@pytest.mark.parametrize("name", SPACES)
def test_every_network_is_feasible_under_an_upper_limit(name: str, share: float) -> None:
    """The issue asks for the first feasible one within layer 1 and one sweep, then for every second one."""
    space = SPACES[name]()
    found = searched(space, Objective(cost_metric="madds_m", hi=limit_at(space, share)), 48)
    assert found == [True] * 48


def test_the_plain_rule_finds_nothing_there() -> None:
    """What the scaled completion is for; when this changes, the description of the option has to change."""
    space = deep_chain()
    problem = SearchProblem(space, Objective(cost_metric="madds_m", hi=limit_at(space, 0.5)))
    algorithm = LayerNAS(LayerNASOptions(), problem, 0)
    found = []
    while len(found) < 48:
        for proposal in algorithm.ask(8):
            found.append(problem.feasible(proposal.architecture))
            algorithm.tell(Outcome(proposal.number, 0.5))
    assert not any(found)


@pytest.mark.parametrize(
    ("lo", "hi"),
    [(0.5, None), (0.4, 0.6), (0.5, 0.55)],
)
def test_lower_limits_and_narrow_ranges_are_met_from_the_start(lo: float, hi: float | None) -> None:
    space = deep_chain()
    low, high = space.cost_range((), "madds_m")
    ends = {"lo": low + lo * (high - low), "hi": None if hi is None else low + hi * (high - low)}
    assert searched(space, Objective(cost_metric="madds_m", **ends), 48) == [True] * 48


def test_two_limits_on_different_costs() -> None:
    """With several limits there is no promise for every network; measured: all of them in this space."""
    space = deep_chain()
    further = Constraint(metric="params_m", hi=limit_at(space, 0.4, "params_m"))
    objective = Objective(cost_metric="madds_m", hi=limit_at(space, 0.4), constraints=(further,))
    assert sum(searched(space, objective, 48)) == 48


def test_unlimited_costs_leave_the_defaults() -> None:
    space = SPACES["sizes"]()
    problem = SearchProblem(space, Objective(cost_metric="madds_m"))
    for prefix in [(), (3,), (3, 2, 1), (7, 7, 7, 7, 7)]:
        assert ScaledCompletion(problem).complete(prefix) == DefaultCompletion(problem).complete(prefix)


@pytest.mark.parametrize("name", SPACES)
def test_keeping_the_next_choice_keeps_the_network(name: str) -> None:
    """A model is carried to later layers without a trial because of this."""
    space = SPACES[name]()
    problem = SearchProblem(space, Objective(cost_metric="madds_m", hi=limit_at(space, 0.3)))
    completion = ScaledCompletion(problem)
    for draw in range(20):
        choices = space.sample(Random(f"prefix {draw}")).choices
        prefix = choices[: draw % space.depth]
        if problem.reachable(prefix):
            choices = completion.complete(prefix)[0]
            for length in range(len(prefix), space.depth + 1):
                assert completion.complete(choices[:length])[0] == choices


def test_costs_say_what_each_prefix_costs_with_defaults_behind_it() -> None:
    space = deep_chain()
    problem = SearchProblem(space, Objective(cost_metric="madds_m", hi=limit_at(space, 0.3)))
    completion = ScaledCompletion(problem)
    choices, cost, reach = completion.complete((2, 5))
    costs = completion.costs(choices, 2)
    assert costs is not None
    assert (costs[0], reach, len(costs)) == (cost, space.depth, space.depth - 1)
    for length, expected in zip(range(2, space.depth + 1), costs, strict=True):
        assert expected == space.cost(space.complete(choices[:length])).metric("madds_m")
    assert list(costs) == sorted(costs, reverse=True)


def test_prefixes_of_equal_cost_get_the_same_tail_in_an_additive_space() -> None:
    """So one bucket compares prefixes by their own reward, as dynamic programming needs it."""
    space = AdditiveSpace([[9, 6, 3], [9, 6, 3], [8, 5, 2], [8, 5, 2], [7, 4, 1]])
    completion = ScaledCompletion(SearchProblem(space, Objective(cost_metric="madds_m", hi=22)))
    first = completion.complete((0, 1))
    second = completion.complete((1, 0))
    assert first[0][2:] == second[0][2:]
    assert first[1] == second[1]
    assert completion.costs(first[0], 2) == completion.costs(second[0], 2)


def test_a_state_without_the_option_means_the_plain_rule() -> None:
    problem = SearchProblem(SPACES["sizes"](), Objective(cost_metric="madds_m", hi=50))
    assert "completion" not in LayerNAS(LayerNASOptions(), problem, 0).state_dict()["options"]
    scaled = LayerNAS(LayerNASOptions(completion="scaled"), problem, 0).state_dict()
    assert scaled["options"]["completion"] == "scaled"
    assert LayerNASOptions.model_validate({"kind": "layernas"}).completion == "default"


@pytest.mark.parametrize("seed", range(10))
def test_the_optimum_of_an_additive_problem_is_found(seed: int) -> None:
    """With one bucket per cost, LayerNAS is exact on additive problems, whatever completes its models."""
    rng = Random(f"additive problem {seed}")
    space = AdditiveSpace.random(seed, 5, 3, 9)
    rewards = [[rng.random() for _ in layer] for layer in space.option_costs]
    low, high = space.cost_range((), "madds_m")
    objective = Objective(cost_metric="madds_m", hi=round(low + 0.5 * (high - low)))
    problem = SearchProblem(space, objective)
    options = LayerNASOptions(completion="scaled", buckets=round(high - low) + 1, replicas=1)
    algorithm = LayerNAS(options, problem, seed)

    def reward(architecture: Architecture) -> float:
        return sum(layer[choice] for layer, choice in zip(rewards, architecture.choices, strict=True))

    best = float("-inf")
    while proposals := algorithm.ask(4):
        for proposal in proposals:
            best = max(best, reward(proposal.architecture)) if problem.feasible(proposal.architecture) else best
            algorithm.tell(Outcome(proposal.number, reward(proposal.architecture)))
    networks = map(space.architecture, product(*map(range, space.option_counts())))
    assert best == max(reward(network) for network in networks if problem.feasible(network))
