"""User-defined chains: the meaning of documents."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
import yaml

import engine.spaces.chain
from engine.blueprint import InputSpec, Node
from engine.config.spaces import ChainOptions
from engine.errors import ArchitectureError
from engine.networks.build import build
from engine.spaces.chain import ChainSpace

SPEC = InputSpec(3, 32, 32, 10)


def chain(*layers: dict[str, Any], spec: InputSpec = SPEC, **fields: Any) -> ChainSpace:
    return ChainSpace(ChainOptions(definition={"layers": list(layers), **fields}), spec)


def convolutions(space: ChainSpace, name: str) -> list[Node]:
    return [node for node in space.blueprint(space.from_string(name)) if node.op == "conv2d"]


def test_the_documented_example_is_a_space() -> None:
    example = re.search(r"```yaml\n(.*?)```", engine.spaces.chain.__doc__ or "", re.DOTALL)
    assert example
    space = ChainSpace(ChainOptions(definition=yaml.safe_load(example[1])), SPEC)
    assert space.layer_names == ("first", "layer 2", "second", "third")
    name = "wide-w32-ir_k3_x3-skip"
    assert f"``{name}``" in (engine.spaces.chain.__doc__ or "")
    assert space.to_string(space.from_string(name)) == name


def test_lists_stand_for_all_combinations() -> None:
    block = {"block": "inverted_residual", "kernel": [3, 5], "expansion": [1.5, 6], "squeeze_excitation": [0, 0.25]}
    space = chain({"options": {"ir": block, "one": {**block, "kernel": 7, "expansion": [2], "squeeze_excitation": 0}}})
    expected = {f"ir_k{k}_x{x}_se{s}" for k in (3, 5) for x in ("1_5", "6") for s in (0, 25)} | {"one"}
    assert set(space.options(())) == expected


def test_options_run_from_most_to_least_costly_and_the_default_is_the_costliest() -> None:
    space = chain(
        {
            "options": {
                "small": {"block": "conv", "width": 8},
                "large": {"block": "conv", "width": 64},
                "skip": "identity",
            }
        },
        {"options": {"pool": "max_pool", "conv": {"block": "conv", "width": 4}}},
        stem={"width": 16},
    )
    assert space.options(())[0] == "large"
    for layer in range(2):
        before = space.default().choices[:layer]
        largest = [space.cost_range((*before, choice), "madds_m")[1] for choice in range(len(space.options(before)))]
        assert largest == sorted(largest, reverse=True)
    assert space.cost(space.default()).madds / 1e6 == space.cost_range((), "madds_m")[1]


def test_the_documents_default_is_taken_and_the_order_of_options_is_not_the_documents() -> None:
    space = chain({"default": "b", "options": {"a": {"block": "conv", "width": 4}, "b": "identity"}})
    assert space.to_string(space.default()) == "b"
    assert space.options(()) == ("a", "b")


def test_a_virtual_width_is_shared_up_to_the_next_one() -> None:
    space = chain(
        {"options": {"own": {"block": "conv", "width": 5}}},
        {"name": "w", "virtual": "width", "options": {"wide": 32, "slim": 8}},
        {"name": "b1", "options": {"c": "conv", "own": {"block": "conv", "width": 7}}},
        {"name": "b2", "options": {"c": "conv"}},
        {"name": "w2", "virtual": "width", "options": [12]},
        {"name": "b3", "options": {"c": "conv"}},
    )
    assert [n.shape.channels for n in convolutions(space, "own-slim-c-c-w12-c")] == [5, 8, 8, 12]
    assert [n.shape.channels for n in convolutions(space, "own-wide-own-c-w12-c")] == [5, 7, 32, 12]


def test_a_shortcut_stands_where_stride_is_one_and_widths_are_equal() -> None:
    def adds(**block: Any) -> int:
        space = chain({"options": {"a": {"block": "inverted_residual", **block}}}, stem={"width": 8})
        return sum(node.op == "add" for node in space.blueprint(space.default()))

    assert adds() == adds(width=8) == 1
    assert adds(width=9) == adds(stride=2) == 0


def test_repeat_stacks_the_block_with_its_stride_on_the_first() -> None:
    space = chain({"stride": 2, "repeat": 3, "options": {"a": {"block": "conv", "width": 6}}})
    found = convolutions(space, "a")
    assert [(n.integer("stride"), n.shape.height, n.layer) for n in found] == [(2, 16, 0), (1, 16, 0), (1, 16, 0)]


def test_blocks_are_built_as_documented() -> None:
    space = chain(
        {"options": {"sep": {"block": "separable_conv", "kernel": 5, "width": 8, "activation": "gelu"}}},
        {"options": {"ir": {"block": "inverted_residual", "hidden": 8, "squeeze_excitation": 0.5, "width": 4}}},
        {"options": {"pool": {"block": "avg_pool", "kernel": 2, "stride": 2}}},
        activation="hard_swish",
        stem={"width": 6, "kernel": 5, "stride": 2},
        head={"width": 10, "dropout": 0.5},
    )
    blueprint = space.blueprint(space.default())
    weights = [(n.integer("kernel"), n.integer("groups"), n.shape.channels) for n in blueprint if n.op == "conv2d"]
    # stem; depthwise, pointwise; depthwise, gate, gate, project (no expansion, as hidden equals the input); head
    assert weights == [(5, 1, 6), (5, 6, 6), (1, 1, 8), (3, 8, 8), (1, 1, 4), (1, 1, 8), (1, 1, 4), (1, 1, 10)]
    functions = [n.attrs["function"] for n in blueprint if n.op == "activation"]
    assert functions == ["hard_swish", "gelu", "gelu", "hard_swish", "relu", "hard_sigmoid", "hard_swish"]
    assert [n.attrs["rate"] for n in blueprint if n.op == "dropout"] == [0.5]
    assert next(n for n in blueprint if n.op == "avg_pool").shape.height == 8
    assert build(blueprint)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_names_and_layer_names_do_not_change_the_hash_but_blocks_do() -> None:
    options = {"a": {"block": "conv", "width": 4}, "b": {"block": "conv", "width": [8]}}
    one = chain({"name": "x", "options": options}, name="first")
    two = chain({"name": "y", "options": [{"label": k, **v} for k, v in options.items()]}, name="second")
    other = chain({"name": "x", "options": {**options, "a": {"block": "conv", "width": 5}}}, name="first")
    assert one.content_hash == two.content_hash != other.content_hash


def test_the_reduced_network_scales_all_widths_by_one_factor() -> None:
    space = chain(
        {"name": "w", "virtual": "width", "options": [64]},
        {"name": "b", "options": {"c": "conv", "ir": {"block": "inverted_residual", "hidden": 96}}},
        {"name": "d", "options": {"c": {"block": "conv", "width": [48, 16]}}},
        stem={"width": 32},
        head={"width": 128},
    )
    reduced = space.reduced_blueprint(space.from_string("w64-ir-c_w48"), SPEC, 64)
    assert [n.shape.channels for n in reduced if n.op == "conv2d"] == [16, 48, 48, 32, 24, 64]
    # Never wider than the full network.
    same = space.reduced_blueprint(space.from_string("w64-ir-c_w48"), SPEC, 256)
    assert same == space.blueprint(space.from_string("w64-ir-c_w48"))


def test_the_factor_grows_until_all_options_differ() -> None:
    space = chain({"options": {"c": {"block": "conv", "width": [32, 31, 30]}}}, stem={"width": 32})
    widths = set()
    for choice in range(3):
        reduced = space.reduced_blueprint(space.architecture([choice]), SPEC, 16)
        widths.add([n for n in reduced if n.op == "conv2d"][-1].shape.channels)
    assert len(widths) == 3


def test_spaces_far_too_large_to_list_are_made_at_once() -> None:
    layers: list[dict[str, Any]] = []
    for stage, widths in enumerate(([32, 28, 24, 20], [64, 56, 48], [128, 112, 96])):
        layers.append({"name": f"w{stage}", "virtual": "width", "options": widths})
        block = {"block": "inverted_residual", "kernel": [3, 5, 7], "expansion": [2, 3, 4, 6]}
        layers += [{"name": f"b{stage}{i}", "stride": 2 if i == 0 else 1, "options": {"ir": block}} for i in range(9)]
    space = chain(*layers, spec=InputSpec(3, 64, 64, 100), stem={"width": 16})
    assert space.size > 1e30
    low, high = space.cost_range((), "params_m")
    assert 0 < low < space.cost(space.default()).params / 1e6 <= high


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a", "1 labels"),
        ("a-x", "layer 'second'.*'x'.*choose one of"),
        ("a-b-c", "3 labels"),
        ("-b", "layer 'layer 1'"),
    ],
)
def test_a_wrong_name_is_refused_at_its_layer(text: str, named: str) -> None:
    space = chain({"options": {"a": "conv"}}, {"name": "second", "options": {"b": "conv"}})
    with pytest.raises(ArchitectureError, match=named):
        space.from_string(text)
