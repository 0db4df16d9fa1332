"""MOTE's open MobileNetV3 space: its network, its rescaled reduction, exact costs and intervals."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from engine.blueprint import InputSpec
from engine.config.spaces import MoteMobileOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError, ConfigError
from engine.metrics import NODES
from engine.networks.build import build
from engine.networks.count import count
from engine.spaces.mote_mobile import MoteMobileSpace

SPEC = InputSpec(3, 32, 32, 10)


@pytest.fixture(scope="module")
def space() -> MoteMobileSpace:
    return MoteMobileSpace(MoteMobileOptions(), SPEC)


def test_five_stages_of_eight_choices_costliest_first(space: MoteMobileSpace) -> None:
    assert (space.depth, space.size) == (5, 32_768)
    every = {f"{e}_k{k}_{a}" for e, k, a in product(("conv", "dw"), (3, 5), ("se", "da"))}
    large = MoteMobileSpace(MoteMobileOptions(), InputSpec(3, 224, 224, 1000))
    for layer in range(5):
        assert set(space.options((0,) * layer)) == every
        costs = [cost for cost, _ in large.child_ranges((0,) * layer, "madds_m", layer + 1)]
        assert costs == sorted(costs, reverse=True)
    assert space.default().choices == (0,) * 5


def test_the_full_network_has_the_published_layout(space: MoteMobileSpace) -> None:
    blueprint = space.blueprint(space.from_string("conv_k3_se-dw_k5_da-conv_k5_da-dw_k3_se-conv_k3_da"))
    ends = {node.group: node.shape for node in blueprint}
    widths = [ends[f"stage {number}"].channels for number in range(1, 6)]
    sides = [ends[f"stage {number}"].height for number in range(1, 6)]
    assert (widths, sides) == ([64, 96, 128, 196, 256], [8, 4, 2, 2, 1])
    # Cells: their 1x1 projections in front of a batch norm that no GELU follows; two to four a stage.
    read = {name for node in blueprint if node.op == "activation" for name in node.inputs}
    last = [node.group for node in blueprint if node.op == "batch_norm" and node.name not in read]
    assert [last.count(f"stage {number}") for number in range(1, 6)] == [2, 3, 4, 2, 3]
    head = [node for node in blueprint if node.group == "head" and node.op in ("conv2d", "dropout", "linear")]
    assert [node.shape.channels for node in head] == [1024, 2048, 2048, 10]
    functions = {node.attrs["function"] for node in blueprint if node.op == "activation"}
    assert functions == {"gelu", "sigmoid"}
    # Depthwise attention gates every value, squeeze-excitation every channel.
    gates = {node.group: blueprint[node.inputs[1]].shape.height for node in blueprint if node.op == "multiply"}
    assert gates == {"stage 1": 1, "stage 2": 4, "stage 3": 2, "stage 4": 1, "stage 5": 1}


@pytest.mark.parametrize("spec", [SPEC, InputSpec(1, 17, 40, 3)])
def test_costs_are_those_of_the_built_network(spec: InputSpec) -> None:
    space = MoteMobileSpace(MoteMobileOptions(), spec)
    rng = Random(1)
    for architecture in (space.default(), space.sample(rng)):
        blueprint = space.blueprint(architecture)
        assert space.cost(architecture) == blueprint_cost(blueprint) == count(build(blueprint), spec)


def test_intervals_are_exact(space: MoteMobileSpace) -> None:
    costs = [space.cost(space.architecture((3, 1, 6, a, b))) for a in range(8) for b in range(8)]
    for metric in NODES:
        values = [cost.metric(metric) for cost in costs]
        assert space.cost_range((3, 1, 6), metric) == (min(values), max(values))


def test_names_are_read_back_and_others_refused(space: MoteMobileSpace) -> None:
    architecture = space.sample(Random(4))
    assert space.from_string(space.to_string(architecture)) == architecture
    with pytest.raises(ArchitectureError, match="layer 'stage 2': there is no option 'k3'"):
        space.from_string("conv_k3_se-k3-conv_k3_se-conv_k3_se-conv_k3_se")
    with pytest.raises(ArchitectureError, match="has 1 labels joined by '-'; the space has 5 layers"):
        space.from_string("conv_k3_se")


def test_small_images_are_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="at least 17x17, not 8x8; set the data set's image size") as caught:
        MoteMobileSpace(MoteMobileOptions(), InputSpec(1, 8, 8, 10))
    assert caught.value.errors[0].path == "space.kind"


def test_reduced_networks_are_rescaled_to_about_equal_costs(space: MoteMobileSpace) -> None:
    costs = []
    rng = Random(0)
    for architecture in [space.default(), space.architecture((7,) * 5), *(space.sample(rng) for _ in range(20))]:
        costs.append(blueprint_cost(space.reduced_blueprint(architecture, SPEC, 32)).madds / 2**20)
    # Unscaled they lie between 1.26 and 2.07.
    assert 1.9 < min(costs) <= max(costs) < 2.3
    plain = blueprint_cost(space._reduced(space.default(), SPEC, 1.0))
    widths = [node.shape.channels for node in space.reduced_blueprint(space.default(), SPEC, 32) if node.op == "conv2d"]
    factor = 2 - plain.madds / 2**21
    assert widths[0] == round(8 * factor)
    assert widths[-1] == round(32 * factor)


def test_reduced_networks_do_not_depend_on_the_images_and_all_differ(space: MoteMobileSpace) -> None:
    small = InputSpec(1, 16, 16, 10)
    built = set()
    for choice in range(8):
        architecture = space.complete((0, 0, choice))
        reduced = [space.reduced_blueprint(architecture, spec, 32) for spec in (SPEC, small)]
        widths = [[node.shape.channels for node in blueprint] for blueprint in reduced]
        assert widths[0][1:] == widths[1][1:]
        built.add(tuple((node.op, node.shape, *node.attrs.items()) for node in reduced[1]))
    assert len(built) == 8
