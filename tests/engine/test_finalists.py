"""Finalists: laws of all algorithms when the best networks are scored again, and the choice of the winner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import pytest

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.config.algorithms import LayerNASOptions
from engine.config.lookups import TableOptions
from engine.config.search import Budget, Final, Objective, SearchConfig
from engine.errors import ConfigError, StateMismatch
from engine.estimate import Estimate
from engine.loop import Judge, RunResult, run
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from engine.rounds import BudgetMeter
from engine.space import Architecture
from engine.stopping import Stop, never
from tests.engine import driving
from tests.engine.driving import ALGORITHM_OPTIONS, AS_LISTED, SPACE_OPTIONS, make_problem, search

problem_of = cache(make_problem)
FINALISTS = 3
LISTED_ONLY = AS_LISTED | {"darts", "nasbench101"}
PAIRS = [
    (name, space)
    for name, options in ALGORITHM_OPTIONS.items()
    for space in SPACE_OPTIONS
    if not ("layer_order" in options and space in LISTED_ONLY)
]


def make(name: str, problem: SearchProblem, finalists: int = FINALISTS) -> SearchAlgorithm:
    algorithm = driving.make(name, problem, seed=4)
    algorithm.expect_finals(finalists)
    return algorithm


def final_score(architecture: Architecture) -> float | None:
    """Return another score than the search's; some final scores fail."""
    score = driving.score(architecture)
    return None if score is None or score > 0.97 else 1.0 - score


def tell(algorithm: SearchAlgorithm, proposals: Sequence[Proposal], score: driving.Score) -> None:
    for proposal in proposals:
        algorithm.tell(Outcome(proposal.number, score(proposal.architecture)))


@pytest.mark.parametrize(("algorithm", "space"), PAIRS)
def test_the_leaders_are_proposed_again_once_and_the_search_goes_on(algorithm: str, space: str) -> None:
    problem = problem_of(space, hi=0.6)
    searching = make(algorithm, problem)
    plain = driving.make(algorithm, problem, seed=4)
    scores = {}
    known: set[Architecture] = set()
    for batch in search(searching, trials=20):
        assert plain.ask(4) == batch
        known |= {p.architecture for p in batch}
        scores |= {p.number: driving.score(p.architecture) for p in batch if problem.feasible(p.architecture)}
        tell(plain, batch, driving.score)
    ranked = sorted((n for n, score in scores.items() if score is not None), key=lambda n: (-scores[n], n))
    finals: list[Proposal] = []
    while batch := searching.ask(2, stage=1):
        reloaded = make(algorithm, problem)
        reloaded.load_state_dict(json.loads(json.dumps(searching.state_dict())))
        tell(searching, batch, final_score)
        tell(reloaded, reversed(batch), final_score)
        assert reloaded.state_dict() == searching.state_dict()
        finals += batch
    parents = [p.parent for p in finals]
    if algorithm == "mote_nas":  # its guided rule begins with the leader; what comes next depends on its final score
        assert parents[:1] == ranked[:1]
        assert len(set(parents)) == len(parents) == len(ranked[:FINALISTS])
        assert set(parents) <= set(ranked)
    else:
        assert parents == ranked[:FINALISTS]
    assert {(p.origin, p.stage) for p in finals} <= {("final", 1)}
    assert [p.number for p in finals] == list(range(plain.asked, plain.asked + len(finals)))
    more = searching.ask(4)
    if algorithm == "mote_nas":  # after all its finalists the guided rule has ended
        assert (more, searching.done) == ([], True)
    else:
        assert len(more) == len(plain.ask(4)), "finals take nothing from the search"
    assert not {p.architecture for p in more} & known


def test_a_late_score_that_leads_is_proposed_after_the_finals() -> None:
    searching = make("layernas", problem_of("nats_size"), finalists=2)
    batch = searching.ask(8)
    tell(searching, batch, lambda a: None if a == batch[3].architecture else driving.score(a) or 0.5)
    finals = searching.ask(8, stage=1)
    assert len(finals) == 2
    tell(searching, finals, final_score)
    assert searching.ask(8, stage=1) == []
    searching.tell(Outcome(3, 2.0))
    assert [p.parent for p in searching.ask(8, stage=1)] == [3]


def test_states_with_and_without_finals_do_not_mix() -> None:
    problem = problem_of("additive")
    with pytest.raises(StateMismatch, match="finalist_count"):
        make("layernas", problem).load_state_dict(driving.make("layernas", problem, seed=4).state_dict())


SPACE = AdditiveSpace([[4, 3, 2, 1]] * 3)


class Column:
    """An estimator that looks up rewards with known seconds, as a table does."""

    inline = True

    def __init__(self, seed: int, seconds: float) -> None:
        self.reward = AdditiveReward(SPACE, seed)
        self.cost = seconds

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        return [Estimate(self.reward(item), seconds=self.cost, seed=seed) for item in items]

    def seconds(self, item: Architecture) -> float | None:
        return self.cost


def _run(budget: Budget, count: int = 4, share: float = 0.5, kind: str = "layernas") -> RunResult:
    problem = SearchProblem(SPACE, Objective(hi=9))
    final = Final(estimator=TableOptions(path="x", reward="y"), count=count, share=share)
    algorithm = driving.make(kind, problem)
    return run(algorithm, Column(0, 10.0), budget, 4, final=final, judge=Judge(Column(1, 30.0)))


def test_the_best_finalist_by_its_final_score_wins() -> None:
    result = _run(Budget(evaluations=30))
    finals = [t for t in result.trials if t.proposal.stage]
    searched = [t for t in result.trials if not t.proposal.stage]
    assert (len(searched), len(finals)) == (26, 4)
    leaders = sorted((t for t in searched if t.feasible), key=lambda t: -t.estimate.score)[:4]
    assert [t.proposal.architecture for t in finals] == [t.proposal.architecture for t in leaders]
    decided = max(leaders, key=lambda t: AdditiveReward(SPACE, 1)(t.proposal.architecture))
    assert result.best.proposal.architecture == decided.proposal.architecture != leaders[0].proposal.architecture
    assert result.best.proposal.parent == decided.proposal.number
    assert result.best.feasible


@pytest.mark.parametrize("kind", ["layernas", "regularised_evolution", "random", "ppo", "local_search"])
def test_seconds_are_shared_between_the_search_and_its_finals(kind: str) -> None:
    result = _run(Budget(evaluations=None, seconds=255), kind=kind)
    stages = [t.proposal.stage for t in result.trials]
    assert stages == [0] * 12 + [1] * 4  # 120 of 127.5 s, then 120 of what is left
    assert [t.proposal.number for t in result.trials] == list(range(16))
    assert _run(Budget(evaluations=None, seconds=200), kind=kind).seconds == 190  # 10 searched, 3 of 4 finals fit


def test_an_exhausted_search_leaves_its_budget_to_the_finals_and_says_so() -> None:
    result = _run(Budget(evaluations=1_000), count=6)
    assert result.ended == "exhausted"
    assert sum(t.proposal.stage for t in result.trials) == 6


def test_a_meter_keeps_what_finals_need() -> None:
    final = Final(estimator=TableOptions(path="x", reward="y"), count=3, share=0.25)
    meter = BudgetMeter(evaluations=10, seconds=100, final=final)
    assert meter.admits([1.0] * 20) == 7
    assert meter.admits([30.0] * 3) == 2
    assert meter.admits([30.0] * 4, stage=1) == 3
    for _ in range(2):
        meter.charge(30.0)
    meter.charge(30.0, stage=1)
    assert not meter.fits(15.1)  # 60 of the search's 75 are spent, the final's 30 are not its own
    assert not meter.fits(10.1)  # although only 10 of all seconds are left
    assert meter.fits(10.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"final": {"estimator": {"kind": "table", "path": "t", "reward": "r"}}}, "final.estimator"),
        ({"final": {"estimator": {"kind": "table", "path": "t", "reward": "s"}, "count": 100}}, "final.count"),
        ({"final": {"estimator": {"kind": "table", "path": "t"}}}, "final.estimator.reward"),
        ({"final": {"estimator": {"kind": "short_training"}}}, "dataset"),
        ({"final": {"estimator": {"kind": "guess"}}}, "final.estimator"),
        ({"final": {"estimator": {"kind": "table", "path": "t", "reward": "s"}, "share": 1.0}}, "final.share"),
    ],
)
def test_a_final_that_makes_no_sense_is_refused_at_its_field(changes: dict, field: str) -> None:
    base = {"space": {"kind": "nats_size"}, "estimator": {"kind": "table", "path": "t", "reward": "r"}}
    with pytest.raises(ConfigError) as caught:
        SearchConfig.parse(base | changes)
    assert [error.path for error in caught.value.errors] == [field]


def test_without_leaders_or_without_expecting_any_there_are_no_finals() -> None:
    algorithm = create_algorithm(LayerNASOptions(), problem_of("nats_size"), seed=0, finalists=2)
    assert algorithm.ask(1, stage=1) == []  # nothing was scored yet
    plain = create_algorithm(LayerNASOptions(), problem_of("nats_size"), seed=0)
    assert plain.ask(1, stage=1) == []
    assert plain.state_dict()["finalists"] is None
