"""LayerNAS's rules: which networks are tried, stored, carried, evicted and found."""

from __future__ import annotations

from itertools import product

import pytest

from engine.algorithms.layernas import LayerNAS
from engine.algorithms.proposals import Outcome
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.layernas_chain import finds_optimum
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.problem import SearchProblem
from tests.engine.driving import make_problem, make_space, search

SPACE = AdditiveSpace([[4, 3, 2, 1]] * 3)
"""Appendix I: three layers of the options D, C, B, A, which cost 4, 3, 2 and 1."""
NAMES = "DCBA"
APPENDIX_I = {
    "DDD": 0.5, "CDD": 0.45, "BDD": 0.35, "ADD": 0.3, "CAD": 0.4, "CBD": 0.42, "ACD": 0.27, "BCD": 0.33, "BBD": 0.32,
    "CDB": 0.4, "CDA": 0.37, "DDA": 0.37,
}  # fmt: skip


def _name(choices: tuple[int, ...]) -> str:
    return "".join(NAMES[choice] for choice in choices)


def _run(algorithm: LayerNAS, scores: dict[str, float] | None = None, round_size: int = 1) -> list[str]:
    tried = []
    known = APPENDIX_I if scores is None else scores
    for proposals in search(algorithm, round_size, 1_000, lambda a: known.get(_name(a.choices), 0.1)):
        tried += [_name(p.architecture.choices) for p in proposals]
    return tried


@pytest.mark.parametrize(
    "options",
    [
        LayerNASOptions(),
        LayerNASOptions(replicas=1, select="random"),
        LayerNASOptions(bucketing="unique", child_order="cost"),
        LayerNASOptions(searches_per_layer=2, children_per_search=3, child_order="listed"),
        LayerNASOptions(layer_order="reversed"),
        LayerNASOptions(layer_order="cost"),
    ],
    ids=["plain", "one-replica-random", "unique", "turns", "reversed", "costly layers first"],
)
def test_the_optimum_of_every_additive_problem_is_found(options: LayerNASOptions) -> None:
    missed = [seed for seed in range(200) if not finds_optimum(seed, options)]
    assert missed == []


def test_the_baseline_and_all_first_options_come_before_anything_else() -> None:
    algorithm = LayerNAS(LayerNASOptions(), SearchProblem(SPACE, Objective(lo=8, hi=9)), seed=0)
    first = algorithm.ask(10)
    assert [p.origin for p in first] == ["baseline", "first layer", "first layer", "first layer"]
    assert {_name(p.architecture.choices) for p in first} == {"DDD", "CDD", "BDD", "ADD"}
    assert algorithm.ask(1) == []


def test_the_paper_example_tries_only_what_can_still_meet_the_target() -> None:
    problem = SearchProblem(SPACE, Objective(lo=8, hi=9))
    tried = _run(LayerNAS(LayerNASOptions(buckets=4, replicas=2), problem, seed=0))
    assert {"DDD", "CDD", "BDD", "ADD"} <= set(tried)
    assert "ADA" not in tried  # 6M: below the target, and complete
    costs = {name: sum(4 - NAMES.index(letter) for letter in name) for name in tried}
    undecided = {"DDD", "CDD", "BDD", "ADD"} | {name for name in tried if name.endswith("D")}
    assert all(8 <= cost <= 9 for name, cost in costs.items() if name not in undecided)
    feasible = [name for name, cost in costs.items() if 8 <= cost <= 9]
    assert max(feasible, key=lambda name: APPENDIX_I.get(name, 0.1)) == "CBD"


def test_dropped_children_are_no_trials() -> None:
    problem = SearchProblem(SPACE, Objective(hi=3))  # only AAA
    assert _run(LayerNAS(LayerNASOptions(), problem, seed=0)) == ["DDD", "ADD", "AAD", "AAA"]


def test_a_scored_network_is_carried_to_later_layers_while_it_can_meet_the_target() -> None:
    algorithm = LayerNAS(LayerNASOptions(), SearchProblem(SPACE, Objective(hi=9)), seed=0)
    for proposal in algorithm.ask(4):
        algorithm.tell(Outcome(proposal.number, APPENDIX_I[_name(proposal.architecture.choices)]))
    layers: dict[int, set[float]] = {0: set(), 1: set(), 2: set()}
    for bucket in algorithm.buckets():
        layers[bucket.layer] |= {resident.score for resident in bucket.residents}
    assert layers[0] == {0.5, 0.45, 0.35, 0.3}
    assert layers[1] == {0.5, 0.45, 0.35, 0.3}  # DD* can still become DDA: 9M
    assert layers[2] == {0.3}  # only ADD costs at most 9M itself


def test_an_infeasible_baseline_is_scored_and_no_first_layer_option_is_lost() -> None:
    problem = SearchProblem(AdditiveSpace([[9, 1]]), Objective(hi=5))
    algorithm = LayerNAS(LayerNASOptions(), problem, seed=0)
    baseline, option = algorithm.ask(5)
    assert not problem.feasible(baseline.architecture)
    for proposal in (baseline, option):
        algorithm.tell(Outcome(proposal.number, 1.0))
    assert algorithm.done
    assert [[r.number for r in bucket.residents] for bucket in algorithm.buckets()] == [[option.number]]


def test_the_best_model_with_work_left_is_extended_first() -> None:
    algorithm = LayerNAS(LayerNASOptions(), SearchProblem(SPACE, Objective()), seed=0)
    tried = _run(algorithm, {"BDD": 0.9})
    main = tried[4:]
    assert main[0].startswith("B")
    assert main[0].endswith("D")


def test_an_evicted_model_loses_its_untried_children() -> None:
    space = AdditiveSpace([[2, 2, 2], [2, 2, 2, 2, 2]])  # one bucket a layer: all cost the same
    options = LayerNASOptions(buckets=1, replicas=1, child_order="listed")
    algorithm = LayerNAS(options, SearchProblem(space, Objective()), seed=0)
    scores = {(0, 0): 0.1, (1, 0): 0.9, (2, 0): 0.5}
    proposals = [p for batch in search(algorithm, 4, 99, lambda a: scores.get(a.choices, 0.0)) for p in batch]
    assert {p.architecture.choices[0] for p in proposals if p.origin == "child"} == {1}
    assert [(b.inserted, b.evicted) for b in algorithm.buckets()] == [(2, 1), (2, 1)]


def test_a_bucket_is_shown_anew_only_when_it_changed() -> None:
    space = AdditiveSpace([[2, 1], [2, 1]])
    algorithm = LayerNAS(LayerNASOptions(buckets=2), SearchProblem(space, Objective()), seed=0)
    found = []
    for score in (0.1, 0.2, 0.3):
        proposal = algorithm.ask(1)[0]
        before = {(view.layer, view.index): view for view in algorithm.buckets()}
        algorithm.tell(Outcome(proposal.number, score))
        found.append((proposal, 10 * score))
        for view in algorithm.buckets():
            old = before.get((view.layer, view.index))
            assert (old is view) == (old == view)
    algorithm.rescore(found)
    assert {r.score for view in algorithm.buckets() for r in view.residents} <= {score for _, score in found}


def test_a_failed_network_is_stored_when_a_retry_scores_it() -> None:
    algorithm = LayerNAS(LayerNASOptions(), SearchProblem(AdditiveSpace([[2, 1], [2, 1]]), Objective()), seed=0)
    for proposal in algorithm.ask(2):
        algorithm.tell(Outcome(proposal.number, None))
    assert algorithm.done
    assert algorithm.buckets() == []
    algorithm.tell(Outcome(1, 0.7))
    assert not algorithm.done
    child = algorithm.ask(1)[0]
    assert (child.parent, child.layer, child.architecture.choices) == (1, 1, (1, 1))


def test_a_full_search_stays_within_the_bound_and_unique_ids_try_every_network() -> None:
    space = AdditiveSpace([[3, 2, 1], [5, 4], [4, 2, 1, 1]])
    algorithm = LayerNAS(LayerNASOptions(bucketing="unique"), SearchProblem(space, Objective()), seed=0)
    reward = AdditiveReward(space, 0)
    tried = [p.architecture.choices for batch in search(algorithm, 5, 99, reward) for p in batch]
    assert sorted(tried) == sorted(product(range(3), range(2), range(4)))
    assert len(tried) <= algorithm.bound() == 3 + 3 * 2 + 6 * 4


def test_the_bound_is_exact_for_spaces_beyond_enumeration() -> None:
    space = AdditiveSpace([[1] * 30] * 20)
    algorithm = LayerNAS(LayerNASOptions(), SearchProblem(space, Objective()), seed=0)
    assert algorithm.bound() == 30 + 30 * 30 + 18 * 300 * 30


def test_last_layer_buckets_slice_the_target_range() -> None:
    algorithm = LayerNAS(LayerNASOptions(buckets=2), SearchProblem(SPACE, Objective(lo=8, hi=9)), seed=0)
    _run(algorithm)
    last = [bucket for bucket in algorithm.buckets() if bucket.layer == 2]
    assert [(bucket.low, bucket.high) for bucket in last] == [(8.0, 8.5), (8.5, 9.0)]


def test_children_can_be_tried_by_cost() -> None:
    options = LayerNASOptions(child_order="cost", children_per_search=4)
    algorithm = LayerNAS(options, SearchProblem(AdditiveSpace([[1, 7, 3, 5]]), Objective()), seed=0)
    costs = [(1, 7, 3, 5)[p.architecture.choices[0]] for p in algorithm.ask(4)]
    assert costs == [7, 5, 3, 1]


def test_every_registered_space_meets_its_target_often_within_a_hundred_trials() -> None:
    """A target at half of the range of costs is met at once, not after thousands of trials."""
    for name in ("nats_size", "nasbench201", "chain-digits_chain"):
        problem = make_problem(make_space(name), lo=0.4, hi=0.5)
        algorithm = LayerNAS(LayerNASOptions(), problem, seed=0)
        proposals = [p for batch in search(algorithm, 8, 100) for p in batch]
        assert sum(problem.feasible(p.architecture) for p in proposals) >= 10, name
