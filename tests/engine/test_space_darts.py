"""DARTS's cells: published parameter counts, genotypes, options that depend on the prefix, the reduced network."""

from __future__ import annotations

from collections import Counter
from math import prod
from random import Random

import pytest

from engine.blueprint import InputSpec
from engine.config.spaces import DartsOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.mote import PUBLISHED, constants_for
from engine.spaces.darts import DARTS_V2, DartsSpace

SPEC = InputSpec(3, 32, 32, 10)


@pytest.fixture(scope="module")
def space() -> DartsSpace:
    return DartsSpace(DartsOptions(), SPEC)


@pytest.mark.parametrize(
    ("options", "spec", "params"),
    [
        # 3.3M for CIFAR-10 and 4.7M for ImageNet in the paper; its code prints these.
        (DartsOptions(cells=20, channels=36), SPEC, 3_349_342),
        (DartsOptions(cells=14, channels=48, stem="large"), InputSpec(3, 224, 224, 1000), 4_718_752),
    ],
)
def test_published_cells_have_the_published_parameters(options: DartsOptions, spec: InputSpec, params: int) -> None:
    space = DartsSpace(options, spec)
    assert space.cost(space.from_string(DARTS_V2)).params == params


def test_multiply_adds_on_imagenet_are_those_of_the_authors_network() -> None:
    """ptflops' rule gave 544.59M for the authors' code (quark0/darts, issue 46); the paper's 574M has no known rule."""
    space = DartsSpace(DartsOptions(cells=14, channels=48, stem="large"), InputSpec(3, 224, 224, 1000))
    network = space.from_string(DARTS_V2)
    assert space.cost(network).madds == 529_911_552
    nodes = space.blueprint(network).nodes
    size = {node.name: prod((node.shape.channels, node.shape.height, node.shape.width)) for node in nodes}
    weighed = {"batch_norm": 2, "activation": 1}
    others = sum(weighed.get(node.op, 0) * size[node.name] for node in nodes)
    others += sum(size[node.inputs[0]] for node in nodes if "pool" in node.op)
    assert round((529_911_552 + others) / 1e6, 2) == 544.59


def test_size_is_the_published_one(space: DartsSpace) -> None:
    cells = (1 * 3 * 6 * 10) * 7**8
    assert (space.depth, space.size) == (16, cells**2)
    # The same by counting the options of every layer given the one before.
    assert [len(space.options((0,) * layer)) for layer in range(8)] == [7, 7, 14, 14, 21, 21, 28, 28]
    behind = Counter(len(space.options((0, 0, 0, 0, choice))) for choice in range(21))
    assert behind == {21: 7, 14: 7, 7: 7}


def test_genotypes_are_read_in_any_order_and_written_in_one(space: DartsSpace) -> None:
    architecture = space.from_string(DARTS_V2)
    assert space.to_string(architecture) == DARTS_V2
    turned = DARTS_V2.replace(
        "[('sep_conv_3x3', 0), ('sep_conv_3x3', 1)", "[('sep_conv_3x3', 1), ('sep_conv_3x3', 0)"
    ).replace("range(2, 6)", "[2, 3, 4, 5]")
    assert turned != DARTS_V2
    assert space.from_string(turned) == architecture


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("('sep_conv_3x3', 1), ", "('sep_conv_3x3', 0), ", "'normal', node 2: .*distinct"),
        ("('dil_conv_3x3', 2)", "('dil_conv_7x7', 2)", "'normal', node 5"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)", "'normal', node 5"),
        ("('dil_conv_3x3', 2)]", "]", "'normal' has 7 pairs"),
        ("reduce_concat=range(2, 6)", "reduce_concat=range(3, 6)", "concatenates"),
        ("Genotype", "__import__('os').system", "is no genotype"),
    ],
)
def test_other_genotypes_are_refused(space: DartsSpace, old: str, new: str, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        space.from_string(DARTS_V2.replace(old, new, 1))


def test_the_default_is_the_identity(space: DartsSpace) -> None:
    pairs = [*space.pairs(space.default(), 0), *space.pairs(space.default(), 1)]
    assert pairs == [("skip_connect", 0), ("skip_connect", 1)] * 8


def test_reduced_network_is_two_cells_on_one_map_each(space: DartsSpace) -> None:
    reduced = space.reduced_blueprint(space.from_string(DARTS_V2), SPEC, 32)
    groups = list(dict.fromkeys(node.group for node in reduced if node.op != "input"))
    assert groups == ["stem", "normal cell", "pool", "reduction cell", "head"]
    cell = [node for node in reduced if node.group == "normal cell" and node.op == "conv2d"]
    # Both inputs are brought to 32 channels from the stem's 32, and every node keeps them.
    assert {node.shape.channels for node in cell} == {32}
    assert [reduced[name].inputs for name in ("activation_1", "activation_2")] == [("batch_norm_1",)] * 2
    assert (reduced.nodes[-2].shape.channels, reduced.nodes[-3].shape.height) == (128, 4)
    assert blueprint_cost(reduced).madds < space.cost(space.from_string(DARTS_V2)).madds / 8


def test_intervals_are_exact_where_options_depend_on_the_prefix() -> None:
    space = DartsSpace(DartsOptions(cells=3, channels=4), InputSpec(1, 8, 8, 10))
    rng = Random(5)
    for _ in range(20):
        prefix = space.sample(rng).choices[:14]
        ends = [
            space.cost(space.architecture((*prefix, first, second))).metric("params_m")
            for first in range(len(space.options(prefix)))
            for second in range(len(space.options((*prefix, first))))
        ]
        assert space.cost_range(prefix, "params_m") == (min(ends), max(ends))


def test_mote_uses_the_constants_of_nasbench301() -> None:
    assert constants_for(DartsSpace.kind) is PUBLISHED["nasbench301"]
