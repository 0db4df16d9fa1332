"""NAS-Bench-101 as a space: published rows, one name a cell, edits, conservative intervals, the reduced network."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from engine.blueprint import InputSpec
from engine.config.spaces import NasBench101Options
from engine.errors import ArchitectureError
from engine.metrics import NODES
from engine.space import Choices
from engine.spaces.nasbench101 import NasBench101Space
from engine.spaces.nasbench101_graph import OPERATIONS, graph_hash
from engine.spaces.nasbench101_growth import Edit, Graph, children, fingerprint, path, random_graph
from tests.engine.test_nasbench101_graph import FIRST, inception

SPEC = InputSpec(3, 32, 32, 10)


@pytest.fixture(scope="module")
def space() -> NasBench101Space:
    return NasBench101Space(NasBench101Options(), SPEC)


def cells(level: int) -> list[Graph]:
    """Return all cells that are grown in ``level`` steps."""
    graphs = [Graph()]
    for _ in range(level - 1):
        graphs = [child.graph for graph in graphs for child in children(graph)]
    return graphs


def test_parameters_are_the_published_ones(space: NasBench101Space) -> None:
    assert space.cost(space.from_matrix(*FIRST)).params == 8_555_530
    assert space.cost(space.from_matrix(*inception((1, 2, 3, 4, 5)))).params == 2_694_282


def test_the_published_range_of_parameters_is_the_root_interval(space: NasBench101Space) -> None:
    assert space.cost_range((), "params_m") == (0.227274, 49.979274)


def test_small_cells_are_those_of_the_benchmark_each_once() -> None:
    graphs = [graph for level in range(1, 7) for graph in cells(level)]
    # Cells of up to four vertices have at most six edges: 1, 6 and 84 of them, as in the benchmark.
    assert {size: count for size, count in Counter(len(g.out) for g in graphs).items() if size <= 4} == {
        2: 1,
        3: 6,
        4: 84,
    }
    assert len({graph_hash(*graph.matrix()) for graph in graphs}) == len({*map(fingerprint, graphs)}) == len(graphs)


def test_every_cell_is_found_again_in_any_order_of_its_vertices(space: NasBench101Space) -> None:
    rng = Random(2)
    for _ in range(60):
        graph = random_graph(rng)
        architecture = space.complete(path(graph))
        matrix, ops = space.matrix(architecture)
        assert graph_hash(matrix, ops) == graph_hash(*graph.matrix())
        assert space.from_string(space.to_string(architecture)) == architecture
    assert len({space.from_matrix(*inception(order)) for order in [(1, 2, 3, 4, 5), (5, 3, 1, 4, 2)]}) == 1


def test_an_edit_adds_one_edge_and_keeps_the_cell_connected() -> None:
    graph = Graph()
    for edit in (Edit(0, 0, 1), Edit(None, 0, 1), Edit(2, 0, 1), Edit(None, 3, 2)):
        grown = graph.edited(edit)
        assert grown is not None
        assert len(grown.edges) == len(graph.edges) + 1
        graph_hash(*grown.matrix())  # raises where a vertex lies on no path
        assert len(grown.matrix()[1]) == len(grown.out)
        graph = grown
    # Backwards, twice, into the input, out of the output, or on an edge that is not there.
    for edit in (Edit(None, 2, 3), Edit(None, 3, 2), Edit(None, 2, 0), Edit(None, 1, 2), Edit(0, 0, 1)):
        assert graph.edited(edit) is None


def test_growth_stops_at_nine_edges_and_seven_vertices(space: NasBench101Space) -> None:
    for choices in (space.from_matrix(*inception((1, 2, 3, 4, 5))).choices, space.from_matrix(*FIRST).choices):
        graph = Graph()
        for choice in choices:
            graph = children(graph)[choice].graph
        assert (len(graph.edges), len(graph.out)) == (9, 7)
        assert not children(graph)


def test_no_layer_has_more_options_than_counted(space: NasBench101Space) -> None:
    for layer, most in enumerate(space.option_counts()[:5]):
        assert max(len(children(graph)) for graph in cells(layer + 1)) + 1 == most


def test_after_a_stop_there_is_only_stop(space: NasBench101Space) -> None:
    stop = space.options((0,)).index("stop")
    assert space.options((0, stop)) == ("stop",)
    assert space.complete((0, stop)) == space.complete((0,))
    assert space.to_string(space.default()) == ":1"


def test_a_change_keeps_the_later_edits_that_still_fit(space: NasBench101Space) -> None:
    line = space.from_string("conv3x3-bn-relu,conv1x1-bn-relu,maxpool3x3:1001/100/10/1")
    assert space.labels(line)[:4] == ("conv3x3_in_out", "conv1x1_a_out", "maxpool3x3_b_out", "edge_in_out")
    option = space.options(()).index("conv1x1_in_out")
    changed = space.architecture(space.changed(line.choices, 0, option))
    assert space.to_string(changed) == "conv1x1-bn-relu,conv1x1-bn-relu,maxpool3x3:1001/100/10/1"
    stopped: Choices = space.changed(line.choices, 1, space.default_option(line.choices[:1]))
    assert space.to_string(space.architecture(stopped)) == "conv3x3-bn-relu:10/1"


def test_intervals_hold_all_that_a_cell_grows_into_and_finished_cells_exactly(space: NasBench101Space) -> None:
    # All cells that a graph of six edges grows into.
    for prefix in ((0, 0, 0, 0, 0), space.from_matrix(*FIRST).choices[:5]):
        below = [prefix]
        for _ in range(3):
            below = [(*p, option) for p in below for option in range(len(space.options(p)))]
        costs = [space.cost(space.architecture(choices)) for choices in below]
        for metric in NODES:
            low, high = space.cost_range(prefix, metric)
            values = [cost.metric(metric) for cost in costs]
            assert low <= min(values) <= max(values) <= high
            # Conservative, yet not by much: half of the interval at least is really there.
            assert max(values) - min(values) >= 0.5 * (high - low)
            exact = space.cost(space.complete(prefix)).metric(metric)
            assert space.cost_range(prefix, metric, len(prefix)) == (exact, exact)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv3x3-bn-relu:10", "is not a cell"),
        ("conv3x3-bn-relu:10/2", "is not a cell"),
        ("conv5x5:10/1", "operations are"),
        ("conv3x3-bn-relu:00/0", "no path"),
        (f"{','.join([OPERATIONS[0]] * 5)}:111111/11111/1111/111/11/1", "'7 vertices and 21 edges' are too many"),
        (f"{','.join([OPERATIONS[0]] * 6)}:1000000/100000/10000/1000/100/10/1", "'8 vertices and 7 edges'"),
    ],
)
def test_names_of_no_cell_are_refused(space: NasBench101Space, text: str, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        space.from_string(text)


def test_reduced_network_is_the_cell_twice_at_one_width(space: NasBench101Space) -> None:
    reduced = space.reduced_blueprint(space.from_matrix(*FIRST), SPEC, 32)
    groups = list(dict.fromkeys(node.group for node in reduced if node.op != "input"))
    assert groups == ["stem", "cell 1", "pool", "cell 2", "head"]
    assert [node.shape.channels for node in reduced if node.op == "concat"] == [32, 32]
    assert reduced.nodes[-2].shape.channels == 32
    assert reduced.nodes[-3].shape.height == 8


def test_nodes_belong_to_the_layer_that_brought_them(space: NasBench101Space) -> None:
    architecture = space.from_matrix(*FIRST)
    labels = space.labels(architecture)
    for node in space.blueprint(architecture):
        if node.layer is not None and node.op == "max_pool":
            assert labels[node.layer].startswith("maxpool")
    layers = {node.layer for node in space.blueprint(architecture)} - {None}
    # An edge that a later layer splits is that layer's.
    ends = [label.split("_", 1)[1] for label in labels]
    split = {i for i, label in enumerate(labels) if label.startswith("edge") and ends[i] in ends[i + 1 :]}
    assert layers == set(range(8)) - split
