"""The baselines by their rules: evolution, local search, dynamic programming and PPO."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.dynamic_programming import DynamicProgramming
from engine.algorithms.fitness import Fitness
from engine.algorithms.local_search import LocalSearch
from engine.algorithms.neighbours import neighbours
from engine.algorithms.policy import CLIP, Policy
from engine.algorithms.ppo import PPO
from engine.algorithms.proposals import Outcome, Proposal
from engine.algorithms.regularised_evolution import RegularisedEvolution
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.layernas_chain import finds_optimum
from engine.config.algorithms import (
    DynamicProgrammingOptions,
    LocalSearchOptions,
    PPOOptions,
    RegularisedEvolutionOptions,
)
from engine.config.search import Constraint, Objective
from engine.errors import ConfigError
from engine.problem import SearchProblem
from engine.space import Choices
from tests.engine.driving import Score, search

WIDE = AdditiveSpace.random(3, layers=8, options=10, largest=50)
"""10^8 networks."""


def _run(algorithm: SearchAlgorithm, reward: Score, trials: int, round_size: int = 1) -> list[Proposal]:
    return [p for batch in search(algorithm, round_size, trials, reward) for p in batch]


def _distance(one: Choices, other: Choices) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


# --- dynamic programming ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("bucketing", ["cost", "unique"])
def test_dynamic_programming_finds_the_optimum_of_every_additive_problem(bucketing: str) -> None:
    options = DynamicProgrammingOptions.model_validate({"bucketing": bucketing})
    assert [seed for seed in range(200) if not finds_optimum(seed, options)] == []


def test_a_layer_begins_when_all_of_the_one_before_was_told() -> None:
    problem = SearchProblem(AdditiveSpace([[3, 2, 1]] * 4), Objective())
    searching = DynamicProgramming(DynamicProgrammingOptions(), problem, seed=0)
    layers = [[p.layer for p in batch] for batch in search(searching, 64, 10_000)]
    assert [Counter(batch).keys() for batch in layers] == [{None, 0}, {1}, {2}, {3}]


def test_only_the_best_network_of_a_cost_is_extended() -> None:
    space = AdditiveSpace([[2, 2, 1], [2, 1]])
    searching = DynamicProgramming(DynamicProgrammingOptions(), SearchProblem(space, Objective()), seed=0)
    scores = {(0, 0): 0.3, (1, 0): 0.8, (2, 0): 0.1}
    tried = [p.architecture.choices for p in _run(searching, lambda a: scores.get(a.choices, 0.0), 99)]
    assert set(tried[3:]) == {(1, 1), (2, 1)}


# --- regularised evolution -------------------------------------------------------------------------------------
def test_evolution_fills_its_population_then_mutates_one_layer_of_living_networks() -> None:
    options = RegularisedEvolutionOptions(population=6, tournament=3)
    searching = RegularisedEvolution(options, SearchProblem(WIDE, Objective()), seed=0)
    tried = _run(searching, AdditiveReward(WIDE, 0), 60)
    assert [p.origin for p in tried[:6]] == ["random"] * 6
    for proposal in tried[6:]:
        assert proposal.origin == "mutation"
        assert proposal.parent is not None
        parent = tried[proposal.parent].architecture.choices
        assert _distance(parent, proposal.architecture.choices) == 1
        assert parent[proposal.layer or 0] != proposal.architecture.choices[proposal.layer or 0]
        assert proposal.number - 6 <= proposal.parent < proposal.number  # older networks have been removed


def test_a_tournament_of_all_mutates_the_best_until_it_dies_of_age() -> None:
    options = RegularisedEvolutionOptions(population=5, tournament=5)
    searching = RegularisedEvolution(options, SearchProblem(WIDE, Objective()), seed=0)
    best_first = iter([0.1, 0.2, 0.9, 0.3, 0.4])
    parents = [p.parent for p in _run(searching, lambda _a: next(best_first, 0.0), 10)]
    assert parents[5:8] == [2, 2, 2]
    assert parents[8] == 4  # 0.9 was driven out by the third newcomer, 0.3 too is younger but worse than 0.4


def test_evolution_goes_on_with_known_networks_and_ends_with_the_last_one() -> None:
    space = AdditiveSpace([[3, 2, 1]] * 3)
    options = RegularisedEvolutionOptions(population=4, tournament=2)
    searching = RegularisedEvolution(options, SearchProblem(space, Objective(hi=7)), seed=0)
    tried = {p.architecture.choices for p in _run(searching, AdditiveReward(space, 0), 1_000)}
    assert len(tried) == 27 - 4  # 9; 8 in three ways
    assert searching.done


def test_a_round_larger_than_the_population_waits_for_it() -> None:
    options = RegularisedEvolutionOptions(population=4, tournament=2)
    searching = RegularisedEvolution(options, SearchProblem(WIDE, Objective()), seed=0)
    assert len(searching.ask(10)) == 4
    searching.tell(Outcome(0, None))
    assert [p.number for p in searching.ask(10)] == [4]
    for number in range(1, 5):
        searching.tell(Outcome(number, 0.5))
    assert len(searching.ask(10)) == 10


# --- objectives ------------------------------------------------------------------------------------------------
def test_the_mnas_objective_is_the_published_product() -> None:
    problem = SearchProblem(WIDE, Objective(hi=100.0))
    architecture = WIDE.default()
    expected = 0.8 * (problem.cost(architecture) / 100) ** -0.07
    assert Fitness("mnas", problem)(architecture, 0.8) == pytest.approx(expected)
    assert Fitness("feasible", problem)(architecture, 0.8) == 0.8


@pytest.mark.parametrize("objective", [Objective(), Objective(lo=3), Objective(hi=0)])
@pytest.mark.parametrize(
    ("make", "options"),
    [(RegularisedEvolution, RegularisedEvolutionOptions(objective="mnas")), (PPO, PPOOptions(objective="mnas"))],
)
def test_the_mnas_objective_needs_a_target(make: type, options: object, objective: Objective) -> None:
    with pytest.raises(ConfigError, match="upper limit") as caught:
        make(options, SearchProblem(WIDE, objective), 0)
    assert [error.path for error in caught.value.errors] == ["algorithm.objective"]


def test_the_mnas_objective_tries_costlier_networks_but_keeps_further_limits() -> None:
    low, high = WIDE.cost_range((), "madds_m")
    hard = Constraint(metric="madds_m", hi=low + 0.6 * (high - low))
    problem = SearchProblem(WIDE, Objective(hi=low + 0.3 * (high - low), constraints=(hard,)))
    options = RegularisedEvolutionOptions(objective="mnas", population=10, tournament=3)
    tried = _run(RegularisedEvolution(options, problem, seed=0), AdditiveReward(WIDE, 0), 80)
    costs = [problem.cost(p.architecture) for p in tried]
    assert hard.hi is not None
    assert max(costs) <= hard.hi
    assert any(not problem.feasible(p.architecture) for p in tried)


# --- local search ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("move", ["first", "best"])
def test_local_search_climbs_to_the_top_of_an_additive_problem_without_a_restart(move: str) -> None:
    space = AdditiveSpace.random(1, layers=5, options=4, largest=20)
    reward = AdditiveReward(space, 1)
    options = LocalSearchOptions.model_validate({"move": move})
    searching = LocalSearch(options, SearchProblem(space, Objective()), seed=0)
    tried = _run(searching, reward, 150, round_size=4)
    climb = tried[: next(n for n, p in enumerate(tried[1:], start=1) if p.origin == "random")]
    scores = [reward(p.architecture) for p in climb]
    top = max(reward(space.architecture(choices)) for choices in np.ndindex(*[4] * 5))
    assert max(scores) == top
    steps = [scores[p.parent or 0] for p in climb[1:]]
    assert steps == sorted(steps)  # never down


def test_local_search_moves_to_the_best_neighbour_only_after_all_of_them() -> None:
    searching = LocalSearch(LocalSearchOptions(move="best"), SearchProblem(WIDE, Objective()), seed=0)
    tried = _run(searching, AdditiveReward(WIDE, 0), 100)
    assert [p.parent for p in tried[1:73]] == [0] * 72  # 8 layers, 9 other options each
    scores = [AdditiveReward(WIDE, 0)(p.architecture) for p in tried]
    assert tried[73].parent == max(range(73), key=scores.__getitem__)


def test_local_search_starts_anew_when_its_start_fails() -> None:
    searching = LocalSearch(LocalSearchOptions(), SearchProblem(WIDE, Objective()), seed=0)
    assert [p.origin for p in _run(searching, lambda _architecture: None, 5)] == ["random"] * 5


# --- neighbours ------------------------------------------------------------------------------------------------
class Shrinking(AdditiveSpace):
    """A space whose second layer has all its options only after the first layer's first option, otherwise one."""

    def options(self, prefix: Choices) -> tuple[str, ...]:
        labels = super().options(prefix)
        return tuple(labels[:1] if len(prefix) == 1 and prefix[0] else labels)


def test_choices_that_no_longer_exist_give_way_to_the_default() -> None:
    space = Shrinking([[2, 1], [3, 2, 1], [2, 1]])
    assert space.changed((0, 2, 1), 0, 1) == (1, 0, 1)
    assert {choices for _, choices in neighbours(space, (0, 2, 1))} == {(1, 0, 1), (0, 0, 1), (0, 1, 1), (0, 2, 0)}


# --- PPO -------------------------------------------------------------------------------------------------------
def test_the_policy_learns_what_pays() -> None:
    """Late proposals are better than the first ones by two standard deviations."""
    reward = AdditiveReward(WIDE, 0)
    tried = _run(PPO(PPOOptions(), SearchProblem(WIDE, Objective()), seed=0), reward, 400, round_size=8)
    scores = [reward(p.architecture) for p in tried]
    assert np.mean(scores[-100:]) > np.mean(scores[:100]) + 2 * np.std(scores[:100])


def test_what_was_scored_leaves_no_chance_behind_even_without_a_fitness() -> None:
    """The network without cost has no fitness. Failed proposals keep their probability, as a retry may score them."""
    problem = SearchProblem(AdditiveSpace([[2, 1, 0], [2, 0], [3, 0]]), Objective(hi=4))
    searching = PPO(PPOOptions(objective="mnas"), problem, seed=0)
    tried = _run(searching, lambda architecture: None if architecture.choices[0] == 1 else 1.0, 100)
    assert (2, 1, 1) in {proposal.architecture.choices for proposal in tried}
    state = searching.state_dict()
    assert [number for number, _ in state["state"]["chances"]] == [failed["number"] for failed in state["failed"]]
    assert len(state["failed"]) == 4


def test_a_step_makes_good_samples_likelier_and_bad_ones_less_likely() -> None:
    space = AdditiveSpace([[3, 2, 1], [2, 1]])
    policy = Policy(SearchProblem(space, Objective()), learning_rate=1e-3)
    networks: list[Choices] = [(0, 0), (2, 1)]
    before = policy.log_chances(networks)
    assert np.allclose(np.exp(before), 1 / 6)
    policy.improve(networks, np.array([1.0, -1.0]), before)
    after = policy.log_chances(networks)
    assert after[0] > before[0]
    assert after[1] < before[1]
    every = [(a, b) for a in range(3) for b in range(2)]
    assert np.exp(policy.log_chances(every)).sum() == pytest.approx(1)


def test_options_that_cannot_meet_the_target_have_no_chance() -> None:
    policy = Policy(SearchProblem(AdditiveSpace([[3, 2, 1], [2, 1]]), Objective(hi=3)), learning_rate=0.1)
    feasible = [(1, 1), (2, 0), (2, 1)]
    assert np.exp(policy.log_chances(feasible)) == pytest.approx([0.5, 0.25, 0.25])
    assert {policy.sample(Random(seed)) for seed in range(50)} == set(feasible)


def test_samples_beyond_the_clip_no_longer_push() -> None:
    policy = Policy(SearchProblem(AdditiveSpace([[2, 1]]), Objective()), learning_rate=0.01)
    old = policy.log_chances([(0,)])
    for _ in range(300):
        policy.improve([(0,)], np.array([1.0]), old)
    assert np.exp(policy.log_chances([(0,)]) - old)[0] == pytest.approx(1 + CLIP, abs=0.05)
