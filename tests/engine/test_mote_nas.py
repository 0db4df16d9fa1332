"""MOTE-NAS: the published rounds, guided finalists, and their components."""

from __future__ import annotations

from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
import pytest

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.features import Reader
from engine.algorithms.gaussian_process import GaussianProcess, Inputs
from engine.algorithms.mote_nas import MoteNAS
from engine.algorithms.proposals import Outcome, Proposal
from engine.benchmarks import mote_nas as bench
from engine.benchmarks.additive import AdditiveReward, AdditiveSpace
from engine.benchmarks.mote_nas_own import OwnScores
from engine.blueprint import BlueprintBuilder, InputSpec
from engine.config.algorithms import MoteNASOptions
from engine.config.search import Objective
from engine.config.spaces import NasBench201Options
from engine.errors import Stopped
from engine.problem import SearchProblem
from engine.space import Architecture
from engine.spaces.nasbench201 import NasBench201Space
from engine.table import Table
from engine.traits import traits
from tests.engine import driving

CELLS = NasBench201Space(NasBench201Options(form="tensor"), InputSpec())
EDGES = NasBench201Space(NasBench201Options(form="edge"), InputSpec())


def mote_nas(problem: SearchProblem, finalists: int = 0, seed: int = 0, **options: object) -> SearchAlgorithm:
    algorithm = MoteNAS(MoteNASOptions(**options), problem, seed)
    if finalists:
        algorithm.expect_finals(finalists)
    return algorithm


def rounds_of(algorithm: SearchAlgorithm, score: driving.Score = driving.score) -> list[list[Proposal]]:
    """Return all rounds of an algorithm, each asked with a larger number than any round has."""
    found = []
    while not algorithm.done:
        found.append(algorithm.ask(1_000))
        for proposal in found[-1]:
            algorithm.tell(Outcome(proposal.number, score(proposal.architecture)))
    return found


@pytest.mark.parametrize("space", [CELLS, EDGES], ids=["tensor", "edge"])
def test_published_rounds_stay_within_two_operations_of_the_best_hundredth(space: NasBench201Space) -> None:
    reader = Reader(space)
    scores = {}
    told = {}
    rounds = rounds_of(mote_nas(SearchProblem(space, Objective()), rule="published"))
    assert [p.origin for p in rounds[0]] == ["random"] * 10
    assert 3 <= len(rounds) <= 10
    for batch in rounds:
        if scores:
            (best,) = sorted(scores, key=lambda n: (-scores[n], n))[: max(1, len(scores) // 100)]
            assert {p.parent for p in batch} == {best}
            assert all(reader.distance(p.architecture.choices, told[best]) <= 2 for p in batch)
            assert len(batch) <= 100
        told |= {p.number: p.architecture.choices for p in batch}
        scores |= {p.number: s for p in batch if (s := driving.score(p.architecture)) is not None}


def test_more_finalists_mean_more_and_larger_rounds() -> None:
    problem = SearchProblem(EDGES, Objective())
    random = rounds_of(mote_nas(problem, 20, rule="published", sampling="random"))
    assert [len(batch) for batch in random] == [10] * 10 + [20] * 10
    assert len(rounds_of(mote_nas(problem, 5, rule="published", sampling="random"))) == 10


def test_a_space_too_large_for_lucky_draws_is_searched_near_the_best() -> None:
    problem = driving.make_problem("mobilenet")
    reader = Reader(problem.space)
    told = {}
    rounds = rounds_of(mote_nas(problem, rule="published"))
    assert [len(batch) for batch in rounds] == [10] * 10
    for batch in rounds:
        for p in batch:
            assert p.parent is None or reader.distance(p.architecture.choices, told[p.parent]) <= 2
        told |= {p.number: p.architecture.choices for p in batch}


def test_distances_count_operations_whatever_a_layer_decides() -> None:
    rng = Random(3)
    for _ in range(50):
        one, other = (CELLS.to_string(CELLS.sample(rng)) for _ in range(2))
        apart = [
            sum(a != b for a, b in zip(s.decisions(s.from_string(one)), s.decisions(s.from_string(other)), strict=True))
            for s in (CELLS, EDGES)
        ]
        assert apart[0] == apart[1] == sum(a != b for a, b in zip(_operations(one), _operations(other), strict=True))


def _operations(cell: str) -> list[str]:
    return cell.replace("+", "").strip("|").replace("||", "|").split("|")


def final_of(rule: str, seed: int, finalists: int = 8) -> float:
    """Return the true value of the best finalist if the estimate ignores half of the layers."""
    space = AdditiveSpace([[4, 3, 2, 1]] * 8)
    seen = AdditiveReward(AdditiveSpace(space.option_costs[:4]), 1)
    unseen = AdditiveReward(space, 2)
    estimate = lambda a: seen(Architecture("", a.choices[:4]))  # noqa: E731
    algorithm = mote_nas(SearchProblem(space, Objective()), finalists, seed, rule=rule, together=1)
    best = 0.0
    while True:
        batch = algorithm.ask(10) or algorithm.ask(10, stage=1)
        if not batch:
            return best
        for p in batch:
            score = estimate(p.architecture) + (unseen(p.architecture) if p.stage else 0.0)
            best = max(best, score if p.stage else best)
            algorithm.tell(Outcome(p.number, score))


def test_guided_finalists_find_what_the_estimate_cannot_see() -> None:
    guided, published = (fmean(final_of(rule, seed) for seed in range(6)) for rule in ("guided", "published"))
    assert guided > published + 0.3


def test_the_surrogate_learns_a_line_and_knows_what_it_does_not_know() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(60, 3)) * [1.0, 100.0, 0.0] + [0.0, 5.0, 7.0]
    inputs = Inputs(rng.integers(0, 3, size=(60, 4)), numbers)
    values = 3 * numbers[:, 0] + numbers[:, 1] / 50
    surrogate = GaussianProcess(inputs, inputs.rows(range(12)), list(values[:12]))
    mean, deviation = surrogate.predict(inputs)
    assert np.corrcoef(mean[12:], values[12:])[0, 1] > 0.95
    assert deviation[:12].max() < deviation[12:].min() + 0.5 * values.std()
    assert deviation[12:].mean() > deviation[:12].mean()


def test_one_observation_is_enough_to_begin() -> None:
    inputs = Inputs(np.array([[0, 0], [0, 1], [1, 1]]), np.zeros((3, 1)))
    mean, deviation = GaussianProcess(inputs, inputs.rows([0]), [4.0]).predict(inputs)
    assert mean == pytest.approx([4.0] * 3)
    assert deviation[0] < deviation[1] < deviation[2]


def test_traits_follow_paths_and_leave_out_what_reaches_nothing() -> None:
    def cell(*operations: str) -> dict[str, float]:
        row = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*operations)
        return traits(EDGES.reduced_blueprint(EDGES.from_string(row), InputSpec(), 32))

    none = "none"
    skip = "skip_connect"
    conv = "nor_conv_3x3"
    point = "nor_conv_1x1"
    pool = "avg_pool_3x3"
    plain = cell(none, none, none, conv, none, none)
    residual = cell(none, none, none, skip, none, none)
    assert plain["convs_min"] == plain["convs_max"] == plain["convs_mean"] == residual["convs_min"] + 2
    assert (plain["log_paths"], residual["log_paths"]) == (0.0, 0.0)
    assert cell(conv, none, none, conv, none, none) == plain, "a dead end"
    assert cell(none, none, conv, conv, point, none) == plain, "nothing of the image"
    both = cell(skip, none, none, conv, pool, none)
    assert both["log_paths"] == pytest.approx(np.log(4))
    assert both["convs_mean"] == (both["convs_min"] + both["convs_max"]) / 2
    assert both["changes_min"] > both["convs_min"] == residual["convs_min"]
    assert cell(none, none, none, none, none, none) == {}


def test_traits_see_gates_that_close() -> None:
    b = BlueprintBuilder(InputSpec())
    x = b.conv2d(b.input, 4)
    b.head(b.add([b.multiply(x, b.global_avg_pool(b.zeros(x))), x]))
    assert traits(b.build())["log_paths"] == 0.0


@pytest.mark.shared_data
def test_the_guided_rule_passes_the_published_one_at_no_more_than_the_papers_cost(shared_data: Path) -> None:
    """Run three of the benchmark's thirty seeds."""
    table = bench.Bench.of(Table.open(shared_data / "nasbench201.parquet"))
    ours = [bench.guided(table, "cifar100", seed) for seed in range(3)]
    rule = [bench.published(table, "cifar100", seed, "20") for seed in range(3)]
    for found in ours:
        for row, outcome in found.items():
            assert 0.8 * bench.PAPER_COST["cifar100"][row] < outcome.seconds <= bench.PAPER_COST["cifar100"][row]
    assert all(outcome.seconds <= bench.PAPER_COST["cifar100"]["20"] for outcome in rule)
    assert fmean(found["20"].accuracy for found in ours) > 72.1
    assert fmean(found["20"].accuracy for found in ours) > fmean(found["ef"].accuracy for found in ours)


@pytest.mark.shared_data
def test_own_scores_are_made_once_and_kept(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASWEB_HOME", str(tmp_path))
    monkeypatch.setenv("NASWEB_BENCH_SECONDS", "600")
    cells = [EDGES.from_string(f"|{op}~0|+|none~0|none~1|+|{op}~0|none~1|none~2|") for op in ("nor_conv_3x3", "none")]
    made = OwnScores(EDGES).estimate_batch(cells, seed=0)
    assert made[0].score is not None
    assert made[1].score is not None
    assert made[0].score > made[1].score
    assert made[0].seconds > made[1].seconds
    monkeypatch.setenv("NASWEB_BENCH_SECONDS", "0")
    again = OwnScores(EDGES)
    assert again.cells == 2
    assert again.estimate_batch(cells, seed=0) == made
    with pytest.raises(Stopped):
        again.seconds(EDGES.default())
