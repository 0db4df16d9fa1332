"""The five-layer size space."""

from __future__ import annotations

import pytest

from engine.blueprint import InputSpec
from engine.config.spaces import NatsSizeOptions
from engine.errors import ArchitectureError
from engine.spaces.nats_size import NatsSizeSpace


@pytest.fixture
def space() -> NatsSizeSpace:
    return NatsSizeSpace(NatsSizeOptions(), InputSpec())


def test_five_layers_of_eight_widths_costliest_first(space: NatsSizeSpace) -> None:
    assert space.size == 32_768
    assert space.options(()) == ("64", "56", "48", "40", "32", "24", "16", "8")
    assert space.to_string(space.default()) == "64:64:64:64:64"
    costs = [space.cost(space.complete((0, choice))).madds for choice in range(8)]
    assert costs == sorted(costs, reverse=True)


def test_widths_stand_where_the_benchmark_puts_them(space: NatsSizeSpace) -> None:
    blueprint = space.blueprint(space.from_string("8:16:24:32:40"))
    sums = {node.layer: node.shape for node in blueprint if node.op == "add"}
    assert [(sums[i].channels, sums[i].height) for i in range(5)] == [(8, 32), (16, 16), (24, 16), (32, 8), (40, 8)]
    # Only the cells of a new width project their skip: one more 1x1 convolution.
    ones = [node.layer for node in blueprint if node.op == "conv2d" and node.integer("kernel") == 1]
    assert ones == [1, 2, 3, 4]


def test_reduced_widths_keep_their_proportions(space: NatsSizeSpace) -> None:
    def widths(channels: int) -> list[int]:
        spec = InputSpec(3, 16, 16, 10)
        reduced = (space.reduced_blueprint(space.architecture([i] * 5), spec, channels) for i in range(8))
        return [next(node for node in blueprint if node.op == "conv2d").shape.channels for blueprint in reduced]

    assert widths(32) == [32, 28, 24, 20, 16, 12, 8, 4]
    assert widths(4) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert widths(128) == [64, 56, 48, 40, 32, 24, 16, 8]


@pytest.mark.parametrize("spec", [InputSpec(1, 1, 1, 2), InputSpec(3, 7, 5, 3)])
def test_odd_and_tiny_maps_work(spec: InputSpec) -> None:
    small = NatsSizeSpace(NatsSizeOptions(), spec)
    assert small.blueprint(small.default()).output.shape.channels == spec.classes


@pytest.mark.parametrize(("text", "named"), [("64:64", "2 labels"), ("64:64:64:64:65", "cell 3': .*'65'")])
def test_a_wrong_name_is_refused_at_its_part(space: NatsSizeSpace, text: str, named: str) -> None:
    with pytest.raises(ArchitectureError, match=named):
        space.from_string(text)
