"""LayerNAS's MobileNet spaces: the paper's counts, the published models, shared filters, small and odd images."""

from __future__ import annotations

import re
from functools import cache
from math import prod
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.benchmarks.mobile_spaces import SPACES as PAPER
from engine.benchmarks.mobile_spaces import run
from engine.blueprint import Blueprint, InputSpec
from engine.config.spaces import MobileNetOptions
from engine.cost import blueprint_cost
from engine.drawing import draw, to_svg
from engine.errors import ArchitectureError, ConfigError
from engine.metrics import NODES
from engine.networks.build import build
from engine.networks.count import count
from engine.registry import create_space
from engine.spaces.mobile_tables import MOBILE_TABLES
from engine.spaces.mobilenet import PAPER_SPEC, MobileNetSpace

torch.set_num_threads(1)

SMALL = InputSpec(1, 33, 17, 5)


@cache
def make(variant: str = "60m", spec: InputSpec = PAPER_SPEC, **options: Any) -> MobileNetSpace:
    space = create_space(MobileNetOptions(variant=variant, **options), spec)
    assert isinstance(space, MobileNetSpace)
    return space


every_variant = pytest.mark.parametrize("variant", MOBILE_TABLES)


@pytest.mark.parametrize("paper", PAPER.values(), ids=PAPER)
def test_sizes_are_those_of_the_paper(paper: Any) -> None:
    space = make(paper.options.variant)
    counts = [len(space.options((0,) * layer)) for layer in range(space.depth)]
    assert space.size == prod(counts) == pytest.approx(paper.architectures, rel=0.04)
    assert space.max_trials == 300 * sum(counts) == pytest.approx(paper.max_trials, rel=0.02)


def test_layers_are_those_of_the_tables() -> None:
    assert {variant: make(variant).depth for variant in MOBILE_TABLES} == {
        "60m": 17, "220m": 21, "300m": 26, "600m": 31,
    }  # fmt: skip
    counts = [len(make("60m").options((0,) * layer)) for layer in range(17)]
    assert counts == [6, 7, 28, 28, 9, 36, 39, 39, 13, 27, 36, 13, 36, 36, 36, 2, 2]


@every_variant
def test_published_models_count_as_their_tables_do(variant: str) -> None:
    space = make(variant)
    published = space.published()
    blueprint = space.blueprint(published)
    cost = space.cost(published)
    assert cost == blueprint_cost(blueprint)
    expected = space.table.published.counted
    assert (cost.metric("madds_m"), cost.metric("params_m")) == pytest.approx(expected, rel=0.01)
    outputs = [node.shape.channels for node in projections(blueprint)]
    assert outputs == [filters for _, filters, _ in space.table.published.bnecks]
    depthwise = [node for node in blueprint if node.op == "conv2d" and node.integer("groups") > 1]
    assert [node.integer("kernel") for node in depthwise] == [kernel for kernel, *_ in space.table.published.bnecks]


@every_variant
def test_the_default_is_the_largest_of_every_factor(variant: str) -> None:
    for space in (make(variant), make(variant, SMALL)):
        default = space.default()
        assert set(default.choices) == {0}
        for layer, chosen in enumerate(space.labels(default)):
            options = [factors(label) for label in space.options((0,) * layer)]
            assert factors(chosen) == [max(column) for column in zip(*options, strict=True)]
        assert space.cost(default).madds / 1e6 == space.cost_range((), "madds_m")[1]


@every_variant
def test_options_run_from_most_to_least_costly_for_the_papers_images(variant: str) -> None:
    space = make(variant)
    for layer in range(space.depth):
        ranges = space.child_ranges((0,) * layer, "madds_m", layer + 1)
        costs = [low for low, _ in ranges]
        assert costs == sorted(costs, reverse=True), space.layer_names[layer]


@every_variant
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_names_are_read_back_and_costs_lie_in_their_ranges(variant: str, seed: int) -> None:
    space = make(variant)
    architecture = space.sample(Random(seed))
    assert space.from_string(space.to_string(architecture)) == architecture
    cost = space.cost(architecture)
    for metric in NODES:
        for known in range(space.depth + 1):
            low, high = space.cost_range(architecture.choices[:known], metric)
            assert low <= cost.metric(metric) <= high
        assert low == high


@pytest.mark.parametrize(
    ("variant", "options"),
    [*((variant, {}) for variant in MOBILE_TABLES), ("60m", {"squeeze_excitation": False, "activation": "relu"})],
)
def test_costs_are_those_of_the_built_network(variant: str, options: dict[str, Any]) -> None:
    space = make(variant, SMALL, **options)
    architecture = space.sample(Random(1))
    blueprint = space.blueprint(architecture)
    network = build(blueprint)
    assert space.cost(architecture) == blueprint_cost(blueprint) == count(network, SMALL)
    assert network(torch.zeros(2, 1, 33, 17)).shape == (2, 5)


def test_gates_and_activations_can_be_switched() -> None:
    gated = make("60m", SMALL)
    plain = make("60m", SMALL, squeeze_excitation=False, activation="relu")
    assert gated.content_hash != plain.content_hash
    assert gated.to_string(gated.published()) == plain.to_string(plain.published())
    found = gated.blueprint(gated.published()), plain.blueprint(plain.published())
    gates = [sum(node.op == "multiply" for node in blueprint) for blueprint in found]
    assert gates == [11, 0]
    functions = [{node.attrs["function"] for node in blueprint if node.op == "activation"} for blueprint in found]
    assert functions == [{"swish", "relu", "hard_sigmoid"}, {"relu"}]


@every_variant
def test_bnecks_of_a_block_share_their_filters_so_that_shortcuts_stay(variant: str) -> None:
    space = make(variant)
    for seed in range(5):
        architecture = space.sample(Random(seed))
        blueprint = space.blueprint(architecture)
        labels = space.labels(architecture)
        names = space.layer_names
        filters = {name.split()[1]: label for name, label in zip(names, labels, strict=True) if "filters" in name}
        outputs = {names[node.layer or 0]: node.shape.channels for node in projections(blueprint)}
        for block, label in filters.items():
            inside = {channels for name, channels in outputs.items() if name.startswith(f"bneck {block}.")}
            assert inside == {int(label[1:])}
        added = {names[node.layer or 0] for node in blueprint if node.op == "add"}
        assert added >= {name for name in outputs if "." in name and not name.endswith(".1")}


def test_the_order_and_the_hash_do_not_depend_on_images() -> None:
    hashes = {variant: make(variant).content_hash for variant in MOBILE_TABLES}
    assert hashes == {variant: make(variant, SMALL).content_hash for variant in MOBILE_TABLES}
    assert len(set(hashes.values())) == 4


@every_variant
@pytest.mark.parametrize("side", [8, 16])
def test_images_too_small_are_refused_with_the_least_size(variant: str, side: int) -> None:
    with pytest.raises(ConfigError, match=f"at least 17x17, not {side}x40") as error:
        make(variant, InputSpec(1, side, 40, 10))
    assert error.value.errors[0].path == "space.variant"


@every_variant
def test_reduced_networks_work_on_the_smallest_images_and_keep_options_apart(variant: str) -> None:
    space = make(variant)
    spec = InputSpec(1, 8, 8, 4)
    for layer in range(0, space.depth, 4):
        last = range(len(space.options((0,) * layer)))[-5:]
        children = [space.complete((*(0,) * layer, choice)) for choice in last]
        costs = {blueprint_cost(space.reduced_blueprint(child, spec, 8)) for child in children}
        assert len(costs) == len(children)
    reduced = build(space.reduced_blueprint(space.published(), spec, 8))
    assert reduced(torch.zeros(2, 1, 8, 8)).shape == (2, 4)


def test_the_smallest_images_end_as_a_single_pixel() -> None:
    space = make("60m", InputSpec(1, 17, 17, 10))
    assert min(node.shape.height for node in space.blueprint(space.default()) if node.op == "add") == 1


def test_a_network_is_drawn_with_its_choices() -> None:
    space = make("600m")
    picture = to_svg(draw(space, space.published()))
    for words in ("block 4 filters: f140", "bneck 4.1: k7_e360", "bneck 7: k3_f320_e1440", "pooled head: f2560"):
        assert words in picture


def test_a_wrong_name_is_refused_at_its_layer() -> None:
    space = make("60m")
    good = space.to_string(space.published())
    with pytest.raises(ArchitectureError, match=re.escape("layer 'bneck 2.1': there is no option 'k3_e145'")):
        space.from_string(good.replace("k3_e144", "k3_e145"))


def test_the_benchmark_counts_torchvisions_model() -> None:
    figures = {figure.name: figure for figure in run(quick=True).figures}
    for metric in ("madds_m", "params_m"):
        figure = figures[f"torchvision.mobilenet_v3_small.{metric}"]
        assert figure.value == pytest.approx(figure.goal, rel=0.002)
    assert "mobilenet_v3_small_60m.published.madds_m" in figures


def factors(label: str) -> list[int]:
    """The numbers of a label: ``k3_e144`` has 3 and 144."""
    return [int(number) for number in re.findall(r"\d+", label)]


def projections(blueprint: Blueprint) -> list[Any]:
    """The batch norms that end each bneck."""
    nodes = list(blueprint)
    following = [*nodes[1:], None]
    return [
        node
        for node, after in zip(nodes, following, strict=True)
        if node.op == "batch_norm" and (after is None or after.op != "activation")
    ]
