"""The laws of search spaces: names, exact costs, exact intervals, networks with the predicted costs."""

from __future__ import annotations

import re
from itertools import product
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blueprint import InputSpec
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    TransNasMacroOptions,
    TransNasMicroOptions,
)
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.metrics import NODES
from engine.networks.build import build
from engine.networks.count import count
from engine.registry import create_space
from engine.space import Architecture, SearchSpace
from engine.spaces.examples import CHAIN_EXAMPLES

torch.set_num_threads(1)

TINY_CHAIN: dict[str, Any] = {
    "layers": [
        {
            "options": {
                "a": {"block": "conv", "width": [6, 4]},
                "b": {"block": "separable_conv", "width": 5, "stride": 2},
            }
        },
        {"virtual": "width", "default": "w4", "options": [8, 4]},
        {"repeat": 2, "options": {"ir": {"block": "inverted_residual", "hidden": [9, 5], "squeeze_excitation": 0.5}}},
        {
            "default": "skip",
            "options": {"skip": "identity", "conv": "conv", "pool": {"block": "avg_pool", "stride": 2}},
        },
    ],
}
OPTIONS = {
    "tensor": NasBench201Options(),
    "edge": NasBench201Options(form="edge", channels=4, cells=1),
    "size": NatsSizeOptions(),
    "darts": DartsOptions(cells=4, channels=6),
    "nasbench101": NasBench101Options(channels=10, cells=2),
    "transnas_micro": TransNasMicroOptions(channels=6),
    "transnas_macro": TransNasMacroOptions(channels=6),
    "tiny_chain": ChainOptions(definition=TINY_CHAIN),
    **{name: ChainOptions(definition=definition) for name, definition in CHAIN_EXAMPLES.items()},
}
SPECS = [InputSpec(), InputSpec(1, 8, 8, 10), InputSpec(3, 21, 14, 7)]
SPACES = {(name, spec): create_space(options, spec) for name, options in OPTIONS.items() for spec in SPECS}
every_space = pytest.mark.parametrize("name", OPTIONS)
every_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.channels}x{s.height}x{s.width}")
seeds = st.integers(0, 2**32)


def some(space: SearchSpace, number: int, seed: int = 0) -> list[Architecture]:
    """Return the default, the architectures of first and of last options, and some random ones."""
    rng = Random(seed)
    last: tuple[int, ...] = ()
    while len(last) < space.depth:
        last = (*last, len(space.options(last)) - 1)
    ends = [space.architecture((0,) * space.depth), space.architecture(last)]
    return [space.default(), *ends, *(space.sample(rng) for _ in range(number))]


@every_space
@every_spec
def test_costs_are_those_of_the_blueprint_and_of_the_built_network(name: str, spec: InputSpec) -> None:
    space = SPACES[name, spec]
    for architecture in some(space, 2):
        blueprint = space.blueprint(architecture)
        assert space.cost(architecture) == blueprint_cost(blueprint)
        assert count(build(blueprint), spec) == space.cost(architecture), space.to_string(architecture)


@every_space
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_names_are_read_back(name: str, seed: int) -> None:
    space = SPACES[name, SPECS[0]]
    architecture = space.sample(Random(seed))
    assert space.from_string(space.to_string(architecture)) == architecture


@every_space
@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet="|~+:-_w0123456789conv", max_size=40))
def test_garbage_is_refused(name: str, text: str) -> None:
    with pytest.raises(ArchitectureError, match=re.escape("'")):
        SPACES[name, SPECS[0]].from_string(text)


@every_space
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_cost_lies_in_the_range_of_each_of_its_prefixes(name: str, seed: int) -> None:
    space = SPACES[name, SPECS[1]]
    choices = space.sample(Random(seed)).choices
    cost = space.cost(space.architecture(choices))
    for metric in NODES:
        for known in range(space.depth + 1):
            low, high = space.cost_range(choices[:known], metric)
            assert low <= cost.metric(metric) <= high
        assert low == high == cost.metric(metric)


@pytest.mark.parametrize("spec", SPECS[:2])
def test_ranges_are_exact_on_a_small_chain(spec: InputSpec) -> None:
    space = SPACES["tiny_chain", spec]
    sizes = [len(space.options((0,) * layer)) for layer in range(space.depth)]
    costs = {choices: space.cost(space.architecture(choices)) for choices in product(*map(range, sizes))}
    assert len(costs) == space.size
    for until in range(space.depth + 1):
        reached = {space.complete(choices[:until]).choices for choices in costs}
        for prefix in ((), (1,), (2, 0), (0, 1, 1)):
            inside = [c for c in reached | {space.complete(prefix).choices} if c[: len(prefix)] == prefix]
            for metric in NODES:
                values = [costs[c].metric(metric) for c in inside]
                assert space.cost_range(prefix, metric, until) == (min(values), max(values)), (prefix, until, metric)


@every_space
def test_a_range_up_to_no_layer_is_the_default_network(name: str) -> None:
    space = SPACES[name, SPECS[0]]
    default = space.cost(space.default()).madds / 1e6
    assert space.cost_range((), "madds_m", 0) == (default, default)


@every_space
def test_options_are_words_and_architectures_are_validated(name: str) -> None:
    space = SPACES[name, SPECS[0]]
    prefix: tuple[int, ...] = ()
    for _ in range(space.depth):
        labels = space.options(prefix)
        assert len(set(labels)) == len(labels)
        assert all(re.fullmatch("[A-Za-z0-9_]+", label) for label in labels)
        prefix = (*prefix, space.default_option(prefix))
    assert space.default().choices == prefix
    with pytest.raises(ArchitectureError, match=re.escape(space.layer_names[0])):
        space.architecture((len(space.options(())), *prefix[1:]))
    with pytest.raises(ArchitectureError, match="layers"):
        space.architecture(prefix[1:])


@every_space
@pytest.mark.parametrize("channels", [8, 32])
def test_reduced_networks_give_class_scores_and_are_all_different(name: str, channels: int) -> None:
    space = SPACES[name, SPECS[0]]
    spec = InputSpec(1, 8, 8, 5)
    default = space.default()
    for layer in range(space.depth):
        before = default.choices[:layer]
        built = set()
        for choice in range(min(len(space.options(before)), 8)):
            blueprint = space.reduced_blueprint(space.complete((*before, choice)), spec, channels)
            built.add(tuple((node.op, node.inputs, node.shape, *node.attrs.items()) for node in blueprint))
            assert blueprint.output.shape.elements == spec.classes
        assert len(built) == min(len(space.options(before)), 8), space.layer_names[layer]
    reduced = build(space.reduced_blueprint(default, spec, channels))
    assert reduced(torch.zeros(2, 1, 8, 8)).shape == (2, 5)


@every_space
def test_every_node_knows_its_layer(name: str) -> None:
    space = SPACES[name, SPECS[0]]
    layers = {node.layer for node in space.blueprint(space.architecture((0,) * space.depth))}
    virtual = {
        index for index, layer in enumerate(space.layer_names) if layer.startswith("width") or layer == "layer 2"
    }
    expected = set(range(space.depth)) - (virtual if "chain" in name else set())
    # In NAS-Bench-101 an edge belongs to the last layer that split it.
    assert layers - {None} <= expected if name == "nasbench101" else layers - {None} == expected


@every_space
def test_the_content_hash_tells_spaces_apart_and_not_inputs(name: str) -> None:
    hashes = {SPACES[name, spec].content_hash for spec in SPECS}
    assert len(hashes) == 1
    assert not hashes & {space.content_hash for (other, _), space in SPACES.items() if other != name}
