"""Who is best: one order, for single networks, for lists and for arrays."""

from __future__ import annotations

from itertools import permutations
from random import Random

import numpy as np
import pytest

from engine.algorithms.proposals import Proposal
from engine.estimate import Estimate
from engine.loop import RunResult, Trial
from engine.merit import merit
from engine.ranking import leads, leads_by_worth, rank, rank_by_score, worths
from engine.space import Architecture

BEST_FIRST = [
    rank(7, 10.0, 3.0),
    rank(5, 20.0, 2.0),
    rank(9, 19.0, 2.0),
    rank(2, 1.0, -5.0),
    rank(3, 90.0),
    rank(4, 90.0),
    rank(1, -90.0),
]
"""By final score, then by worth, then by number; whoever has a final score stands before all others."""


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_networks_is_sorted_into_one(seed: int) -> None:
    shuffled = Random(seed).sample(BEST_FIRST, len(BEST_FIRST))
    assert sorted(shuffled) == BEST_FIRST
    assert [shuffled[at] for at in leads(shuffled)][-1] == BEST_FIRST[0]


def test_a_network_leads_only_where_it_is_better_than_all_before() -> None:
    assert leads([]) == []
    for order in permutations(BEST_FIRST[:4]):
        expected = [at for at, standing in enumerate(order) if standing == min(order[: at + 1])]
        assert leads(order) == expected


@pytest.mark.parametrize("exponent", [0.0, 0.25])
def test_arrays_say_the_same_as_single_networks(exponent: float) -> None:
    rng = Random(3)
    scores = np.array([float(rng.randint(0, 12)) for _ in range(200)])
    costs = np.array([rng.choice([1.0, 2.5, 7.0, 0.0, np.nan]) for _ in range(200)])
    feasible = np.array([rng.random() < 0.6 for _ in range(200)])
    worth = worths(scores, costs, exponent)
    assert worth.tolist() == [merit(s, c, exponent) for s, c in zip(scores.tolist(), costs.tolist(), strict=True)]
    kept = np.flatnonzero(feasible)
    ranks = [rank_by_score(int(n), float(scores[n]), float(costs[n]), exponent) for n in kept]
    assert leads_by_worth(worth, feasible).tolist() == [int(kept[at]) for at in leads(ranks)] != []
    assert leads_by_worth(worth[:0], feasible[:0]).tolist() == []
    assert leads_by_worth(worth, np.zeros(200, dtype=bool)).tolist() == []


def test_a_result_names_the_trial_that_decided() -> None:
    def trial(number: int, score: float | None, parent: int | None = None, feasible: bool = True) -> Trial:
        proposal = Proposal(number, Architecture("x", (number,)), "any", parent=parent, stage=int(parent is not None))
        return Trial(proposal, Estimate(score), feasible)

    searched = [trial(0, 5.0), trial(1, 7.0), trial(2, 7.0), trial(3, 9.0, feasible=False), trial(4, None)]
    assert RunResult((), "budget").best is None
    assert RunResult(tuple(searched[3:]), "budget").best is None
    assert RunResult(tuple(searched), "budget").best is searched[1]
    finals = [trial(5, None, parent=1), trial(6, 1.0, parent=0), trial(7, 1.0, parent=2)]
    assert RunResult((*searched, *finals), "budget").best is finals[2], "equal final scores: the worth decides"
    assert RunResult((*searched, *finals[:1]), "budget").best is searched[1], "a failed final decides nothing"
