"""The laws that every search algorithm keeps on every space.

Saving and loading the state after any step changes nothing. Until the search is done, a proposal is pending or can be
asked for: nothing hangs where no network fits the limits or where every evaluation fails. The order of the tells within
a round changes nothing. The same seed gives the same search in another process. No network is proposed twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from random import Random

import pytest

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.benchmarks.additive import AdditiveSpace
from engine.config.search import Objective
from engine.errors import StateMismatch, UnknownProposal
from engine.layer_order import in_order
from engine.problem import SearchProblem
from tests.conftest import ROOT
from tests.engine import driving
from tests.engine.driving import ALGORITHM_OPTIONS, WITH_TARGET, make, make_problem, search, trace

problem_of = cache(make_problem)

Test = Callable[..., None]


def on_all(test: Test) -> Test:
    """Run a test for every algorithm on every space."""
    return _on(test, [*ALGORITHM_OPTIONS])


def on_all_with_target(test: Test) -> Test:
    """Run a test also for the algorithms that need an upper limit."""
    return _on(test, [*ALGORITHM_OPTIONS, *WITH_TARGET])


def _on(test: Test, algorithms: list[str]) -> Test:
    on_pairs: Test = pytest.mark.parametrize(
        ("algorithm", "space"), driving.pairs(algorithms), ids=lambda value: value
    )(test)
    return on_pairs


def reloaded(algorithm: SearchAlgorithm, name: str) -> SearchAlgorithm:
    fresh = make(name, algorithm.problem, algorithm.seed)
    fresh.load_state_dict(json.loads(json.dumps(algorithm.state_dict())))
    return fresh


@on_all_with_target
def test_reloading_after_every_ask_and_tell_changes_nothing(algorithm: str, space: str) -> None:
    problem = problem_of(space, hi=0.6)
    straight = make(algorithm, problem, seed=3)
    broken = make(algorithm, problem, seed=3)
    for expected in search(straight, trials=40):
        broken = reloaded(broken, algorithm)
        assert broken.ask(4) == expected
        for proposal in expected:
            broken = reloaded(broken, algorithm)
            assert not broken.done
            broken.tell(Outcome(proposal.number, driving.score(proposal.architecture)))
    assert broken.state_dict() == straight.state_dict()
    assert broken.buckets() == straight.buckets()


@on_all_with_target
def test_no_network_is_proposed_twice_and_nothing_hangs(algorithm: str, space: str) -> None:
    proposals = [p for batch in search(make(algorithm, problem_of(space, hi=0.5)), 7, 300) for p in batch]
    assert [p.number for p in proposals] == list(range(len(proposals)))
    assert max(Counter(p.architecture for p in proposals).values()) == 1


@on_all
@pytest.mark.parametrize(
    ("lo", "hi"),
    [(None, -1.0), (2.0, None), (None, 0.0), (1.0, None), (0.4999, 0.5)],
    ids=["nothing-cheap-enough", "nothing-costly-enough", "only-cheapest", "only-costliest", "narrow"],
)
def test_tight_targets_end_or_go_on(algorithm: str, space: str, lo: float | None, hi: float | None) -> None:
    problem = problem_of(space)
    low, high = problem.cost_range(())
    if space == "nasbench101" and hi == 0.5:
        lo, hi = 0.1, 0.12  # few cells cost half of the largest: finding them would take seconds per search
    limits = [None if share is None else max(0.0, low + share * (high - low)) for share in (lo, hi)]
    tight = SearchProblem(problem.space, Objective(lo=limits[0], hi=limits[1]))
    proposals = [p for batch in search(make(algorithm, tight), 3, 60) for p in batch]
    searched = in_order(tight, str(ALGORITHM_OPTIONS[algorithm].get("layer_order", "listed")))
    layers = make(algorithm, tight).searched_layers()
    for proposal in proposals:
        decided = None if proposal.layer is None else list(layers).index(proposal.layer) + 1
        prefix = tuple(proposal.architecture.choices[layer] for layer in layers)[:decided]
        assert searched.reachable(prefix) or proposal.origin == "baseline"


@on_all
def test_a_search_whose_evaluations_all_fail_ends(algorithm: str, space: str) -> None:
    searching = make(algorithm, problem_of(space))
    searching.expect_finals(3)
    most = 150  # the largest layer has 125 options
    tried = [proposal for batch in search(searching, 5, most, lambda _architecture: None) for proposal in batch]
    assert [proposal.number for proposal in tried] == list(range(len(tried))) != []
    assert len({proposal.architecture for proposal in tried}) == len(tried), "no network is tried twice"
    assert not searching.pending
    assert searching.ask(1, stage=1) == [], "no network without a score becomes a finalist"
    assert not [resident for view in searching.buckets() for resident in view.residents]
    assert searching.done or len(tried) >= most
    if algorithm.startswith(("layernas", "dynamic_programming")):  # the others continue with random networks
        assert searching.done


@on_all_with_target
def test_the_order_of_tells_within_a_round_changes_nothing(algorithm: str, space: str) -> None:
    problem = problem_of(space, hi=0.7)
    straight = make(algorithm, problem, 1)
    shuffled = make(algorithm, problem, 1)
    rng = Random(0)
    for expected in search(straight, 6, 60):
        proposals = shuffled.ask(6)
        assert proposals == expected
        rng.shuffle(proposals)
        for proposal in proposals:
            shuffled.tell(Outcome(proposal.number, driving.score(proposal.architecture)))
    assert straight.state_dict() == shuffled.state_dict()


@on_all
def test_asking_in_parts_gives_the_same_round(algorithm: str, space: str) -> None:
    whole = make(algorithm, problem_of(space), 2)
    parts = make(algorithm, problem_of(space), 2)
    for expected in search(whole, 5, 30):
        assert parts.ask(2) + parts.ask(3) == expected
        for proposal in expected:
            parts.tell(Outcome(proposal.number, driving.score(proposal.architecture)))


@pytest.mark.parametrize("algorithm", ALGORITHM_OPTIONS)
def test_the_seed_matters(algorithm: str) -> None:
    problem = problem_of("nats_size", hi=0.6)
    traces = [trace(make(algorithm, problem, seed), 4, 40) for seed in (0, 1)]
    assert (traces[0] == traces[1]) == (algorithm in ("layernas-unique-cost-order", "dynamic_programming"))


def test_another_process_searches_the_same() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.engine.driving"]
    other = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert other.stdout == driving.all_traces()


@pytest.mark.parametrize("algorithm", ALGORITHM_OPTIONS)
def test_outcomes_of_unknown_proposals_are_refused(algorithm: str) -> None:
    searching = make(algorithm, problem_of("additive"))
    with pytest.raises(UnknownProposal):
        searching.tell(Outcome(0, 1.0))
    proposal = searching.ask(1)[0]
    searching.tell(Outcome(proposal.number, 1.0))
    with pytest.raises(UnknownProposal):
        searching.tell(Outcome(proposal.number, 1.0))


@pytest.mark.parametrize("algorithm", ALGORITHM_OPTIONS)
def test_foreign_and_broken_states_leave_the_search_as_it_was(algorithm: str) -> None:
    searching = make(algorithm, problem_of("additive"))
    for _ in search(searching, 4, 8):
        pass
    before = deepcopy(searching.state_dict())
    foreign = [
        make(algorithm, problem_of("one-layer")).state_dict(),
        make(algorithm, problem_of("additive"), seed=9).state_dict(),
        make(algorithm, problem_of("additive", hi=0.5)).state_dict(),
        {},
        {**before, "pending": [{"number": 99, "choices": [9, 9, 9], "origin": "child"}]},
        {**before, "state": None},
        {**before, "state": {**before["state"], **dict.fromkeys(before["state"], 7)}},
    ]
    for state in foreign:
        with pytest.raises(StateMismatch):
            searching.load_state_dict(state)
        assert searching.state_dict() == before


@pytest.mark.parametrize("algorithm", ALGORITHM_OPTIONS)
def test_scores_that_are_no_numbers_count_as_failures(algorithm: str) -> None:
    problem = problem_of("additive")
    failing = make(algorithm, problem)
    broken = make(algorithm, problem)
    for score, searching in ((None, failing), (float("nan"), broken)):
        for proposal in searching.ask(4):
            searching.tell(Outcome(proposal.number, score))
    assert broken.state_dict() == failing.state_dict()


@pytest.mark.parametrize("algorithm", [*ALGORITHM_OPTIONS, *WITH_TARGET])
def test_late_scores_of_failed_networks_count_and_survive_reloading(algorithm: str) -> None:
    searching = make(algorithm, problem_of("nats_size", hi=0.7))
    failed = [p for _ in range(2) for p in _told(searching, None)]
    for proposal in failed[::-1]:
        searching = reloaded(searching, algorithm)
        searching.tell(Outcome(proposal.number, 0.5))
    assert not searching.done
    later = [p for _ in range(5) for p in _told(searching, 0.6)]
    assert later
    assert not {p.architecture for p in failed} & {p.architecture for p in later}


def _told(searching: SearchAlgorithm, score: float | None) -> list[Proposal]:
    proposals = searching.ask(4)
    for proposal in proposals:
        searching.tell(Outcome(proposal.number, score))
    return proposals


def test_random_search_finds_every_feasible_network_of_a_small_space() -> None:
    space = AdditiveSpace([[4, 3, 2, 1]] * 5)
    problem = SearchProblem(space, Objective(lo=10, hi=11))
    expected = {a for a in map(space.architecture, _all_choices(4, 5)) if problem.feasible(a)}
    found = [p.architecture for batch in search(make("random", problem), 16, 10_000) for p in batch]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_random_search_of_a_small_space_is_uniform() -> None:
    space = AdditiveSpace([[4, 3, 2, 1]] * 3)
    problem = SearchProblem(space, Objective(hi=5))  # 10 networks; thin and thick branches
    firsts = Counter(make("random", problem, seed).ask(1)[0].architecture for seed in range(2_000))
    assert len(firsts) == 10
    assert min(firsts.values()) > 140
    assert max(firsts.values()) < 260


def test_random_search_finds_the_few_feasible_networks_of_a_huge_space_and_knows_when_to_stop() -> None:
    space = AdditiveSpace([[90, 80, 70, 60, 1]] * 12)  # 244 million; only 1, or one 60 among ones, is cheap enough
    problem = SearchProblem(space, Objective(hi=71))
    searching = make("random", problem)
    proposals = []
    for batch in search(searching, 4, 1_000):
        proposals += batch
        searching = reloaded(searching, "random") if searching.done else searching
    assert len({p.architecture for p in proposals}) == len(proposals) == 13
    assert all(problem.feasible(p.architecture) for p in proposals)
    assert searching.done


def test_random_search_gives_up_where_intervals_promise_what_no_network_keeps() -> None:
    space = AdditiveSpace([[4, 2]] * 40)  # every cost is even
    assert make("random", SearchProblem(space, Objective(lo=101, hi=101))).ask(1) == []


def _all_choices(options: int, depth: int) -> list[tuple[int, ...]]:
    choices: list[tuple[int, ...]] = [()]
    for _ in range(depth):
        choices = [(*prefix, option) for prefix in choices for option in range(options)]
    return choices
