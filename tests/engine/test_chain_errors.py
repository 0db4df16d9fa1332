"""Faulty chain documents are refused at the field, with a message that says how to fix it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blueprint import InputSpec
from engine.config.spaces import ChainOptions
from engine.errors import ConfigError
from engine.spaces.chain import ChainSpace
from engine.spaces.chain_schema import MAX_LAYERS, MAX_OPTIONS

SPEC = InputSpec(1, 8, 8, 10)
FINE = {"options": {"a": "conv"}}
TWO = {"options": {"a": "conv", "b": {"block": "conv", "width": 9}}}
IR = {"block": "inverted_residual"}
LONG = list(range(1, MAX_OPTIONS + 1))


def faults(definition: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        ChainSpace(ChainOptions(definition=definition), SPEC)
    return {e.path.removeprefix("space.definition").removeprefix("."): e.message for e in caught.value.errors}


def layers(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"layers": list(items), **fields}


@pytest.mark.parametrize(
    ("definition", "path", "words"),
    [
        ({}, "layers", "required"),
        (layers(), "layers", "1 to 100"),
        ({"layers": 3}, "layers", "list"),
        (layers("conv"), "layers.0", "mapping"),
        (layers({"name": "x"}), "layers.0.options", "required"),
        (layers({"options": {}}), "layers.0.options", "1 to 1000"),
        (layers(FINE, activation="relo"), "activation", "relu6"),
        (layers(FINE, stm={}), "stm", "no such field"),
        (layers(FINE, stem={"width": 0}), "stem.width", "Give 1 or more."),
        (layers(FINE, stem={"width": 4, "kernel": 4}), "stem.kernel", "odd"),
        (layers(FINE, stem={"width": 4, "stride": 8}, head={"width": 2.5}), "head.width", "whole number"),
        (
            layers(FINE, FINE, {"options": [{"label": "a", "block": "conv", "kernel": 4}]}),
            "layers.2.options.0.kernel",
            "odd",
        ),
        (
            layers({"options": [{"label": "a", "block": "conv", "kernel": [3, 4]}]}),
            "layers.0.options.0.kernel.1",
            "odd",
        ),
        (layers({"options": {"a": {"block": "conv", "widht": 4}}}), "layers.0.options.a.widht", "no such field"),
        (layers({"options": {"a": {"block": "convv"}}}), "layers.0.options.a.block", "choose one of"),
        (layers({"options": {"a": {"width": 4}}}), "layers.0.options.a.block", "'block'"),
        (layers({"options": [{"block": "conv"}]}), "layers.0.options.0.label", "required"),
        (layers({"options": [{"label": "a-b", "block": "conv"}]}), "layers.0.options.0.label", "letters"),
        (layers({"options": {"a-b": "conv"}}), "layers.0.options.a-b", "letters"),
        (layers({"options": {"é": "conv"}}), "layers.0.options.é", "letters"),
        (layers({"options": {True: "conv"}}), "layers.0.options.True", "quotes"),
        (layers({"options": {"a": {"label": "b", "block": "conv"}}}), "layers.0.options", "label"),
        (layers({"options": {"a": {**IR, "hidden": 3, "expansion": 2}}}), "layers.0.options.a", "not both"),
        (layers({"options": {"a": {"block": "max_pool", "kernel": 4}}}), "layers.0.options.a.kernel", "2 or an odd"),
        (layers({"options": {"a": {"block": "max_pool", "kernel": 2}}}), "layers.0.options.a", "stride 2"),
        (layers({"options": {"a": {"block": "conv", "stride": True}}}), "layers.0.options.a.stride", "whole number"),
        (layers({**TWO, "default": "c"}), "layers.0.default", "choose one of a, b"),
        (layers({**FINE, "name": "x"}, {**TWO, "name": "x"}), "layers.1.name", "names must differ"),
        (
            layers({"options": [{"label": "a", "block": b} for b in ("conv", "identity")]}),
            "layers.0.options.1.label",
            "differ",
        ),
        (layers({"options": {"a": "conv", "b": "conv"}}), "layers.0.options.b", "'a'"),
        (layers({"options": {"a": {"block": "conv", "width": [3, 3]}}}), "layers.0.options.a.label", "differ"),
        (layers({"stride": 2, "options": {"a": "identity"}}), "layers.0.options.a", "stride 2"),
        (layers({"virtual": "hight", "options": [3]}), "layers.0.virtual", "'width'"),
        (layers({"virtual": "width", "options": [3, "x"]}, FINE), "layers.0.options.1", "whole number"),
        (layers({"virtual": "width", "options": [3]}), "layers.0.virtual", "No layer below"),
        (
            layers({"virtual": "width", "options": [3]}, {"options": {"s": "identity"}}),
            "layers.0.virtual",
            "No layer below",
        ),
        (
            layers({"virtual": "width", "options": [3]}, {"options": {"c": "conv", "s": "identity"}}),
            "layers.1.options.s",
            "asks",
        ),
        (layers(*[{"stride": 2, "options": {"a": "conv"}}] * 4), "layers.3.options.a", "1x1"),
        (layers(*[FINE] * (MAX_LAYERS + 1)), "layers", "1 to 100"),
        (
            layers({"options": {"a": {"block": "conv", "width": [*LONG, 2000]}}}),
            "layers.0.options.a.width",
            "1 to 1000",
        ),
        (layers({"options": {"a": {"block": "conv", "width": LONG, "kernel": [1, 3]}}}), "layers.0.options.a", "1000"),
        (layers({"options": {x: {"block": "conv", "width": LONG} for x in "ab"}}), "layers.0.options", "2000 options"),
        (layers(*[{"options": {"a": {"block": "conv", "width": LONG}}}] * 3), "layers.1", "virtual"),
    ],
)
def test_a_fault_is_named_at_its_field(definition: dict[str, Any], path: str, words: str) -> None:
    found = faults(definition)
    assert words in found[path]
    assert len(found) == 1


def test_all_faults_are_told_at_once() -> None:
    found = faults(
        layers(
            {"options": {"a": {"block": "conv", "kernel": 2}, "b": "cnv"}},
            {"stride": 0, "options": {"c": "conv"}},
            name=3,
        )
    )
    assert set(found) == {"name", "layers.0.options.a.kernel", "layers.0.options.b.block", "layers.1.stride"}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.floats(allow_nan=False)
    | st.sampled_from(["conv", "width", "a", "-"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["block", "kernel", "width", "options", "label", "virtual", "stride", "name", "layers", "expansion"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
documents = st.fixed_dictionaries(
    {
        "layers": st.lists(
            st.fixed_dictionaries({"options": json_values}, optional={"virtual": json_values}), max_size=3
        )
    },
    optional={"stem": json_values, "head": json_values, "activation": json_values},
)


@settings(max_examples=150, deadline=None)
@given(document=documents)
def test_any_document_is_a_space_or_a_configuration_error(document: dict[str, Any]) -> None:
    paths = ["space.definition"]
    try:
        space = ChainSpace(ChainOptions(definition=document), SPEC)
        assert space.from_string(space.to_string(space.default())) == space.default()
    except ConfigError as error:
        paths = [e.path for e in error.errors]
    assert all(path.startswith("space.definition") for path in paths)
