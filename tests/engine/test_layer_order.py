"""LayerNAS's order of layers: what changes, what stays the same, and where another order is refused."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from engine.algorithms.layernas import LayerNAS
from engine.algorithms.proposals import Outcome
from engine.benchmarks.additive import AdditiveSpace
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.errors import ConfigError
from engine.layer_order import ReorderedSpace, in_order
from engine.limits import Limit
from engine.metrics import TABLE_COST
from engine.problem import SearchProblem
from engine.space import SearchSpace
from tests.engine.driving import AS_LISTED, SPACE_OPTIONS, make_problem, make_space, search

FREE = (
    "additive",
    "nasbench201",
    "nasbench201-edge",
    "nats_size",
    "mote_mobile",
    "transnas_micro",
    "chain-digits_chain",
)
METRICS = ("madds_m", "params_m", "activation_mb")


def view_of(space: SearchSpace, rule: str) -> ReorderedSpace:
    view = in_order(SearchProblem(space, Objective()), rule).space
    assert isinstance(view, ReorderedSpace)
    return view


@pytest.mark.parametrize("rule", ["reversed", "cost"])
@pytest.mark.parametrize("form", ["tensor", "edge"])
def test_intervals_are_those_of_all_networks_behind_the_searched_prefix(form: str, rule: str) -> None:
    space = make_space("nasbench201" if form == "tensor" else "nasbench201-edge")
    view = view_of(space, rule)
    rng = Random(0)
    everything = [(view.searched(c), space.cost(space.architecture(c)).madds) for c in _all(space)]
    defaults = view.default().choices
    for length in range(view.depth + 1):
        prefix = view.sample(rng).choices[:length]
        for until in range(length, view.depth + 1):
            costs = [m for c, m in everything if c[:length] == prefix and c[until:] == defaults[until:]]
            assert view.cost_range(prefix, "madds_m", until) == (min(costs) / 1e6, max(costs) / 1e6)


def _all(space: SearchSpace) -> list[tuple[int, ...]]:
    return list(product(*map(range, space.option_counts())))


@pytest.mark.parametrize("name", FREE)
def test_as_listed_intervals_are_the_space_own_and_networks_stay_the_same(name: str) -> None:
    space = make_space(name)
    rng = Random(1)
    assert isinstance(view_of(space, "reversed").own, type(space))
    same = ReorderedSpace(view_of(space, "reversed").own, tuple(range(space.depth)))
    backwards = view_of(space, "reversed")
    for _ in range(10):
        network = space.sample(rng)
        view = backwards.architecture(backwards.searched(network.choices))
        assert view.choices == network.choices[::-1]
        assert backwards.network(view) == network
        assert backwards.to_string(view) == space.to_string(network)
        assert backwards.from_string(space.to_string(network)) == view
        assert backwards.labels(view) == space.labels(network)[::-1]
        prefix = network.choices[: rng.randrange(space.depth)]
        for metric in METRICS:
            assert backwards.cost_range(view.choices, metric) == (space.cost(network).metric(metric),) * 2
            until = rng.randint(len(prefix) + 1, space.depth)
            assert same.cost_range(prefix, metric, until) == space.cost_range(prefix, metric, until)
            assert same.child_ranges(prefix, metric) == space.child_ranges(prefix, metric)
            assert same.layer_ranges(metric) == space.layer_ranges(metric)
            assert same.completed(prefix, metric, ())[:2] == space.completed(prefix, metric, ())[:2]
            cost = space.cost(network).metric(metric)
            for limit in (Limit(metric, None, cost), Limit(metric, cost, None), Limit(metric, 0.9 * cost, cost)):
                if len(prefix) < space.depth:
                    assert list(same.meeting(prefix, [limit])) == list(space.meeting(prefix, [limit]))
                assert same.reach(prefix, [limit]) == space.reach(prefix, [limit])


def test_by_cost_the_layer_that_varies_the_cost_most_comes_first() -> None:
    view = view_of(AdditiveSpace([[5, 3], [9, 1, 4], [2, 1], [8, 6]]), "cost")
    assert view.order == (1, 0, 3, 2)  # they vary it by 2, 8, 1 and 2
    assert view.layer_names == ("layer 2", "layer 1", "layer 4", "layer 3")


def test_proposals_and_buckets_name_the_layer_that_was_searched() -> None:
    space = AdditiveSpace([[5, 3, 2], [4, 1], [6, 6, 2, 1]])
    algorithm = LayerNAS(LayerNASOptions(layer_order="reversed"), SearchProblem(space, Objective()), seed=0)
    first = algorithm.ask(8)
    assert [p.origin for p in first] == ["baseline", *["first layer"] * 3]
    default = space.default()
    assert {p.architecture.choices for p in first[1:]} == {(*default.choices[:2], option) for option in (1, 2, 3)}
    assert all(p.layer == 2 and p.architecture.space == space.content_hash for p in first[1:])
    for proposal in first:
        algorithm.tell(Outcome(proposal.number, 0.5))
    later = [p for batch in search(algorithm, 1, 100) for p in batch]
    parents = {p.number: p for p in [*first, *later]}
    for child in later:
        assert child.layer is not None
        assert child.parent is not None
        mine = child.architecture.choices
        its = parents[child.parent].architecture.choices
        assert [layer for layer in range(3) if mine[layer] != its[layer]] == [child.layer]
    assert list(algorithm.searched_layers()) == [2, 1, 0]
    edges = algorithm.bucket_edges()
    assert [(low[0], low[-1]) for low in edges] == [(10.0, 15.0), (7.0, 15.0), (4.0, 15.0)]
    assert {bucket.layer for bucket in algorithm.buckets()} == {0, 1, 2}
    assert min(bucket.low for bucket in algorithm.buckets() if bucket.layer == 2) == 10.0


def test_states_of_searches_as_listed_do_not_name_the_order() -> None:
    """States saved before the option existed can be loaded."""
    problem = make_problem("nats_size")
    assert "layer_order" not in LayerNAS(LayerNASOptions(), problem, 0).state_dict()["options"]
    other = LayerNAS(LayerNASOptions(layer_order="cost"), problem, 0).state_dict()
    assert other["options"]["layer_order"] == "cost"


@pytest.mark.parametrize("name", sorted(SPACE_OPTIONS.keys() - {*FREE, "one-layer"}))
def test_spaces_whose_layers_depend_on_earlier_ones_refuse_in_words(name: str) -> None:
    problem = make_problem(name)
    if problem.space.fixed_order is None:
        assert name not in AS_LISTED
        return
    with pytest.raises(ConfigError, match="before") as refused:
        LayerNAS(LayerNASOptions(layer_order="reversed"), problem, 0)
    assert [error.path for error in refused.value.errors] == ["algorithm.layer_order"]
    LayerNAS(LayerNASOptions(), problem, 0)


def test_table_costs_refuse_another_order() -> None:
    problem = SearchProblem(make_space("nats_size"), Objective(cost_metric=TABLE_COST))
    with pytest.raises(ConfigError, match="Table costs") as refused:
        in_order(problem, "cost")
    assert refused.value.errors[0].path == "algorithm.layer_order"
