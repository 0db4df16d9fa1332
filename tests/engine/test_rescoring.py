"""Scores that are recomputed between two rounds: laws of all algorithms that support it."""

from __future__ import annotations

import json
from functools import cache

import pytest

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.benchmarks.additive import AdditiveSpace
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.errors import EngineError
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from tests.engine import driving
from tests.engine.driving import ALGORITHM_OPTIONS, make_problem

problem_of = cache(make_problem)
SPACES = ("additive", "nasbench201-edge", "nats_size")
TAKES_IT = [name for name in ALGORITHM_OPTIONS if not name.startswith("ppo")]


def stretched(score: float | None) -> float | None:
    """Return the score on another scale, in the same order."""
    return None if score is None else 10 + score**3


def run_rounds(algorithm: SearchAlgorithm, rounds: int, score: driving.Score) -> list[tuple[Proposal, float | None]]:
    found = []
    for _ in range(rounds):
        for proposal in algorithm.ask(4):
            found.append((proposal, score(proposal.architecture)))
            algorithm.tell(Outcome(proposal.number, found[-1][1]))
    return found


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", TAKES_IT)
def test_another_scale_changes_nothing_but_the_scores(name: str, space: str) -> None:
    plain, rescored = (driving.make(name, problem_of(space, hi=0.8), seed=2) for _ in range(2))
    told = run_rounds(plain, 10, driving.score)
    assert run_rounds(rescored, 10, driving.score) == told
    rescored.rescore([(proposal, stretched(score)) for proposal, score in told if score is not None])
    again = driving.make(name, problem_of(space, hi=0.8), seed=2)
    again.load_state_dict(json.loads(json.dumps(rescored.state_dict())))
    assert again.state_dict() == rescored.state_dict()
    later = run_rounds(plain, 10, driving.score)
    for algorithm in (rescored, again):
        followed = run_rounds(algorithm, 10, lambda architecture: stretched(driving.score(architecture)))
        assert [proposal for proposal, _ in followed] == [proposal for proposal, _ in later]
    assert [[r.number for r in view.residents] for view in rescored.buckets()] == [
        [r.number for r in view.residents] for view in plain.buckets()
    ]


def test_buckets_are_filled_again_with_the_new_scores_and_nothing_is_tried_twice() -> None:
    space = AdditiveSpace([[4, 3, 2, 1]] * 5)
    options = LayerNASOptions(buckets=4, replicas=2)
    algorithm = create_algorithm(options, SearchProblem(space, Objective()), 0, 3)
    told = run_rounds(algorithm, 12, driving.score)
    known = {p.number: 1.0 - score for p, score in told if score is not None}
    algorithm.rescore([(p, known[p.number]) for p, _ in told if p.number in known])
    for view in algorithm.buckets():
        for resident in view.residents:
            assert resident.score == known[resident.number]
    reached = {n for view in algorithm.buckets() if view.layer == 4 for n in (r.number for r in view.residents)}
    worst = min(known, key=lambda n: (-known[n], n))
    assert worst in reached, "once the worst, now the best of its bucket"
    assert algorithm.ask(1, stage=1)[0].parent == worst
    algorithm.tell(Outcome(max(algorithm.pending), 1.0))
    later = run_rounds(algorithm, 20, driving.score)
    assert later
    assert not {p.architecture for p, _ in told} & {p.architecture for p, _ in later}


def test_scores_change_between_rounds_only_and_not_for_policies() -> None:
    problem = problem_of("additive")
    asked = driving.make("layernas", problem)
    asked.ask(1)
    with pytest.raises(EngineError, match="between rounds"):
        asked.rescore([])
    with pytest.raises(EngineError, match="can take it"):
        driving.make("ppo", problem).rescore([])
