"""Peak memory: by hand on tiny networks, against an execution with real buffers, and its bounds for prefixes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import inf, isfinite
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.algorithms.proposals import Outcome
from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Node
from engine.config.algorithms import LayerNASOptions
from engine.config.search import Objective
from engine.config.spaces import MobileNetOptions, MoteMobileOptions
from engine.cost import blueprint_metrics
from engine.errors import ConfigError
from engine.memory import peak
from engine.networks.build import build
from engine.problem import SearchProblem
from engine.registry import ALGORITHMS, create_algorithm, create_space
from engine.space import SearchSpace
from engine.spaces.chained import ChainedSpace
from tests.engine.test_spaces import SPACES, SPECS

PEAK = "peak_memory_mb"
EVERY = {
    **{f"{name} {spec.height}x{spec.width}": space for (name, spec), space in SPACES.items()},
    "mote_mobile": create_space(MoteMobileOptions(), InputSpec()),
    "mobilenet": create_space(MobileNetOptions(variant="300m", squeeze_excitation=True), InputSpec(3, 64, 64, 10)),
}
every_space = pytest.mark.parametrize("name", EVERY)


def drawn(space: SearchSpace, number: int) -> Iterator[Blueprint]:
    rng = Random(5)
    return (space.blueprint(space.sample(rng)) for _ in range(number))


# --- by hand ---------------------------------------------------------------------------------------------------
def test_a_plain_network_by_hand() -> None:
    """Image 2x4x4 = 32 values, convolution to 3 channels = 48, norm and ReLU in place, pool = 3, classifier = 5."""
    b = BlueprintBuilder(InputSpec(2, 4, 4, 5))
    b.head(b.conv_bn(b.input, 3, 3))
    assert peak(b.build()) == 32 + 48
    assert blueprint_metrics(b.build())[PEAK] == 80 * 4 / 1e6


def test_a_residual_network_by_hand() -> None:
    """The shortcut keeps the first map while the branch has two: its ReLU may not overwrite what the sum still reads.

    Image 1x2x2 = 4. Convolution to 4 channels: x = 16 (4 + 16 held). ReLU of x as a new map: 16 + 16. Convolution to
    8 channels: 16 + 16 + 32 = 64 held, the most. Convolution back to 4: 16 + 32 + 16 = 64 again. The sum goes into x.
    """
    b = BlueprintBuilder(InputSpec(1, 2, 2, 2))
    x = b.conv2d(b.input, 4)
    y = b.conv2d(b.conv2d(b.activation(x), 8), 4)
    b.head(b.add([x, y]))
    assert peak(b.build()) == 64


@pytest.mark.parametrize(
    ("append", "expected"),
    [
        (lambda b, x: b.batch_norm(x), 8),
        (lambda b, x: b.dropout(b.activation(x), 0.5), 8),
        (lambda b, x: b.add([x, x]), 8),
        (lambda b, x: b.add([x, b.activation(x)]), 16),
        (lambda b, x: b.multiply(x, b.activation(b.global_avg_pool(x))), 8 + 2),
        (lambda b, x: b.concat([x, x]), 8 + 16),
        (lambda b, x: b.truncate(x, 1), 8 + 4),
        (lambda b, x: b.shift(x), 16),
        (lambda b, x: b.max_pool(x, 2), 8 + 2),
        (lambda b, x: b.linear(x, 3), 8 + 3),
        (lambda b, x: b.zeros(x), 16),
        (lambda b, x: b.add([b.zeros(x), x]), 8),
        (lambda b, x: (b.conv2d(x, 50), b.batch_norm(x))[1], 8 + 200),
    ],
)
def test_each_rule_by_hand(append: Any, expected: int) -> None:
    """An image of 2x2x2 = 8 values; the last case computes a branch that nothing reads, and drops it at once."""
    b = BlueprintBuilder(InputSpec(2, 2, 2, 1))
    append(b, b.input)
    assert peak(b.build()) == expected


def test_returned_maps_are_held_to_the_end() -> None:
    b = BlueprintBuilder(InputSpec(1, 4, 4, 2))
    first = b.conv2d(b.input, 4, 3)
    second = b.conv2d(first, 8, 3, stride=2)
    b.conv2d(second, 8, 3)
    nodes = b.build().nodes
    assert peak(Blueprint(b.spec, nodes)) == 64 + 32
    assert peak(Blueprint(b.spec, nodes, (first, nodes[-1].name))) == 64 + 32 + 32


# --- by running ------------------------------------------------------------------------------------------------
class Buffers:
    """Runs a built network node by node with real tensors, element-wise operations in place, and weighs what it holds.

    It holds a tensor while a later node names it. If one were overwritten too early, the result would be another.
    """

    def __init__(self, blueprint: Blueprint, network: nn.Module, images: Tensor) -> None:
        self.nodes = [node for node in blueprint if node.op != "input"]
        self.network = network
        self.held = {"input": images.clone()}
        self.most = self._weight()

    def run(self) -> Tensor:
        modules = dict(self.network.named_children())
        for place, node in enumerate(self.nodes):
            if node.name not in modules:
                continue  # zeros that the network does not compute
            inputs = [name for name in node.inputs if name in self.held]
            needed = {name for later in self.nodes[place + 1 :] for name in self._read(later, modules)}
            result = self._in_place(node, inputs, needed, modules[node.name])
            if result is None:
                result = modules[node.name](*(self.held[name] for name in inputs)).clone()
            self.held[node.name] = result.reshape(1, node.shape.channels, node.shape.height, node.shape.width)
            self.most = max(self.most, self._weight())
            kept = needed | {self.nodes[-1].name}
            self.held = {name: tensor for name, tensor in self.held.items() if name in kept}
        return self.held[self.nodes[-1].name].flatten(1)

    def _read(self, node: Node, modules: dict[str, nn.Module]) -> set[str]:
        if node.name not in modules:
            return set()
        if node.op == "add":
            computed = {name for name in node.inputs if not name.startswith("zeros")}
            return computed or {node.inputs[0]}
        return set(node.inputs)

    def _in_place(self, node: Node, inputs: list[str], needed: set[str], module: nn.Module) -> Tensor | None:
        if node.op not in ("batch_norm", "activation", "dropout", "add", "multiply"):
            return None
        shape = (1, node.shape.channels, node.shape.height, node.shape.width)
        free = [name for name in inputs if name not in needed and self.held[name].shape == shape]
        if not free:
            return None
        operands = [self.held[name] for name in inputs]
        return self.held[free[0]].copy_(module(*(operand.clone() for operand in operands)))

    def _weight(self) -> int:
        """Values of all distinct storages."""
        return sum(
            {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() // 4 for t in self.held.values()}.values()
        )


@every_space
def test_the_peak_is_that_of_a_run_with_real_buffers(name: str) -> None:
    space = EVERY[name]
    for blueprint in drawn(space, 4):
        network = build(blueprint, seed=1).eval()
        images = torch.rand(1, space.spec.channels, space.spec.height, space.spec.width)
        with torch.no_grad():
            expected = network(images)
            buffers = Buffers(blueprint, network, images)
            torch.testing.assert_close(buffers.run(), expected)
        assert peak(blueprint) == buffers.most


# --- spaces ----------------------------------------------------------------------------------------------------
@every_space
def test_a_space_counts_what_the_whole_blueprint_has(name: str) -> None:
    space = EVERY[name]
    rng = Random(2)
    for _ in range(10):
        architecture = space.sample(rng)
        assert space.whole(architecture, PEAK) == peak(space.blueprint(architecture))
        assert space.metrics(architecture)[PEAK] == peak(space.blueprint(architecture)) * 4 / 1e6


@every_space
def test_bounds_never_exclude_a_network_and_are_exact_for_complete_ones(name: str) -> None:
    space = EVERY[name]
    rng = Random(3)
    for _ in range(8):
        architecture = space.sample(rng)
        value = space.metrics(architecture)[PEAK]
        for known in range(space.depth):
            low, high = space.whole_range(architecture.choices[:known], PEAK)
            assert 0 < low <= value <= high
        assert space.whole_range(architecture.choices, PEAK) == (value, value)
        default = space.metrics(space.complete(architecture.choices[:1]))[PEAK]
        assert space.whole_range(architecture.choices[:1], PEAK, 1) == (default, default)


@pytest.mark.parametrize("spec", SPECS[:2])
def test_bounds_of_a_chain_are_exact(spec: InputSpec) -> None:
    space = SPACES["tiny_chain", spec]
    assert isinstance(space, ChainedSpace)
    sizes = [len(space.options((0,) * layer)) for layer in range(space.depth)]
    values = {c: space.metrics(space.architecture(c))[PEAK] for c in product(*map(range, sizes))}
    assert len(set(values.values())) > 1
    for until in range(space.depth + 1):
        reached = {space.complete(choices[:until]).choices for choices in values}
        for prefix in ((), (1,), (2, 0), (0, 1, 1)):
            inside = [c for c in reached | {space.complete(prefix).choices} if c[: len(prefix)] == prefix]
            ends = [values[c] for c in inside]
            assert space.whole_range(prefix, PEAK, until) == (min(ends), max(ends)), (prefix, until)


# --- problems --------------------------------------------------------------------------------------------------
def middle(space: SearchSpace) -> float:
    """A limit that about half of the networks meet."""
    rng = Random(4)
    values = sorted(space.metrics(space.sample(rng))[PEAK] for _ in range(21))
    return values[10]


@pytest.mark.parametrize("name", ["tensor", "nasbench101", "tiny_chain"])
def test_a_limit_leaves_exactly_the_networks_that_meet_it(name: str) -> None:
    space = SPACES[name, SPECS[1]]
    limit = middle(space)
    objective = Objective.model_validate({"constraints": [{"metric": PEAK, "hi": limit}]})
    problem = SearchProblem(space, objective)
    problem.check()
    rng = Random(6)
    met = []
    for _ in range(12):
        architecture = space.sample(rng)
        choices = architecture.choices
        value = problem.costs(architecture)[PEAK]
        feasible = value <= limit
        met.append(feasible)
        assert problem.feasible(architecture) == problem.reachable(choices) == feasible
        assert (choices[-1] in problem.children(choices[:-1])) == feasible
        assert (problem.reach(choices) == space.depth) == feasible
        if feasible:
            assert all(problem.reachable(choices[:known]) for known in range(space.depth))
    assert len(set(met)) == 2


def test_what_no_network_meets_is_refused_in_words() -> None:
    chain = SPACES["tiny_chain", SPECS[0]]
    low, high = chain.whole_range((), PEAK)
    with pytest.raises(ConfigError, match="No network is this cheap: Peak memory"):
        SearchProblem(chain, Objective(cost_metric=PEAK, hi=low * 0.99)).check()
    with pytest.raises(ConfigError, match="No network is this costly: Peak memory"):
        SearchProblem(chain, Objective(cost_metric=PEAK, lo=high * 1.01)).check()
    SearchProblem(chain, Objective(cost_metric=PEAK, lo=low, hi=high)).check()
    cells = SPACES["tensor", SPECS[0]]
    low, high = cells.whole_range((), PEAK)
    assert isfinite(low)
    assert high == inf
    with pytest.raises(ConfigError, match=r"Peak memory \(.*\) in this space: .* or more"):
        SearchProblem(cells, Objective(cost_metric=PEAK, hi=low * 0.99)).check()


@pytest.mark.parametrize("kind", ["random", "regularised_evolution", "local_search"])
def test_algorithms_without_buckets_take_it_as_their_cost(kind: str) -> None:
    space = SPACES["edge", SPECS[1]]
    problem = SearchProblem(space, Objective(cost_metric=PEAK, hi=middle(space)))
    algorithm = create_algorithm(ALGORITHMS[kind].options(), problem, 1)
    for proposal in algorithm.ask(8):
        assert problem.feasible(proposal.architecture)


@pytest.mark.parametrize("kind", ["layernas", "dynamic_programming"])
def test_buckets_need_a_largest_value(kind: str) -> None:
    """A chain's peak has exact ranges and is bucketed; a cell's is refused in words."""
    options = ALGORITHMS[kind].options()
    cells = SearchProblem(SPACES["tensor", SPECS[1]], Objective(cost_metric=PEAK))
    with pytest.raises(ConfigError, match="Peak memory cannot be divided into buckets in this space"):
        create_algorithm(options, cells, 1)
    chain = SearchProblem(SPACES["tiny_chain", SPECS[1]], Objective(cost_metric=PEAK))
    algorithm = create_algorithm(options, chain, 1)
    edges = algorithm.bucket_edges()
    for proposal in algorithm.ask(8):
        cost = chain.cost(proposal.architecture)
        assert edges[-1][0] <= cost <= edges[-1][-1]
        algorithm.tell(Outcome(proposal.number, -cost))


def test_another_order_of_layers_needs_a_sum() -> None:
    problem = SearchProblem(SPACES["size", SPECS[1]], Objective(cost_metric=PEAK))
    with pytest.raises(ConfigError, match="Peak memory is no sum over the layers"):
        create_algorithm(LayerNASOptions(layer_order="reversed"), problem, 1)
    limited = Objective.model_validate({"constraints": [{"metric": PEAK, "hi": middle(problem.space)}]})
    searched = SearchProblem(problem.space, limited)
    algorithm = create_algorithm(LayerNASOptions(layer_order="reversed"), searched, 1)
    assert algorithm.ask(8)


def test_limits_that_no_sampled_network_meets_are_given_up_in_seconds() -> None:
    cells = SPACES["tensor", SPECS[1]]
    rng = Random(7)
    least = min(cells.metrics(cells.sample(rng))[PEAK] for _ in range(60))
    low = cells.whole_range((), PEAK)[0]
    assert low < least
    problem = SearchProblem(cells, Objective(cost_metric=PEAK, lo=low, hi=low * 1.0001))
    with pytest.raises(ConfigError, match="No network was found"):
        problem.check_together()
