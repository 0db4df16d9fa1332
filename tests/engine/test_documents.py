"""Documents that people write: keys that are there twice, and numbers in notations that YAML 1.1 misreads."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine import json_text
from engine.blueprint import InputSpec
from engine.config.documents import read_yaml
from engine.config.search import SearchConfig
from engine.errors import ConfigError, DataError
from engine.latency import LatencyTable
from engine.registry import create_space
from engine.spaces.chain_parse import parse

SEARCH = "space: {kind: nasbench201}\ndataset: {kind: digits}\nestimator: {kind: mote}\n"


def _labels(definition: str) -> list[str]:
    return [option.label for option in parse(read_yaml(definition, "definition")).layers[0].options]


def _faults(read: Any, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return {error.path.removeprefix("space.definition."): error.message for error in caught.value.errors}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5, column 3: the key 'c' is there twice, first in line 3"),
        ("layers:\n- options:\n    a: conv\n    b: conv\n    a: identity\n", "line 5, column 5: the key 'a'"),
        ("layers: []\nhead: {}\nlayers: []\n", "line 3, column 1: the key 'layers' is there twice, first in line 1"),
        ('{"a": 1,\n "a": 2}', "line 2, column 2: the key 'a' is there twice, first in line 1"),
        ('a: 1\n"a": 2\n', "line 2, column 1: the key 'a'"),
        ('10: 1\n"10": 2\n', "line 2, column 1: the key '10'"),
        ("- {x: 1, x: 2}\n", "line 1, column 10: the key 'x'"),
    ],
)
def test_a_key_of_yaml_that_is_there_twice_is_refused(text: str, place: str) -> None:
    assert place in _faults(lambda text: read_yaml(text, "yaml"), text)["yaml"]


def test_one_key_may_stand_in_several_mappings() -> None:
    assert read_yaml("a: {x: 1}\nb: {x: 2, a: 3}\n", "yaml") == {"a": {"x": 1}, "b": {"x": 2, "a": 3}}
    assert read_yaml("a: &one {x: 1}\nb: *one\n", "yaml") == {"a": {"x": 1}, "b": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"a": 1,\n"b": {"c": 1, "d": "c: {",\n"\\u0063": 2}}',
            "the key 'c' is there twice, in line 2 and again in line 3",
        ),
        ('{"a": ["a", {"a": 1}],\n\n"a" : 2}', "the key 'a' is there twice, in line 1 and again in line 3"),
        ('[{"": 1, "": 1}]', "the key '' is there twice"),
        ('\ufeff{"a": 1, "a": 1}', "the key 'a' is there twice"),
    ],
)
def test_a_key_of_json_that_is_there_twice_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        json_text.load(text)


def test_a_key_that_is_there_twice_is_found_in_a_long_text_in_one_pass() -> None:
    keys = ",\n".join(f'"k{i}": 1' for i in range(100_000))
    began = time.process_time()
    with pytest.raises(ValueError, match="the key 'k99999' is there twice, in line 100000 and again in line 100001"):
        json_text.load(f'{{{keys},\n"k99999": 2}}')
    assert time.process_time() - began < 3


def test_json_is_read_with_a_byte_order_mark_and_its_keys_in_several_objects() -> None:
    assert json_text.load('\ufeff{"a": {"b": 1}, "c": [{"b": 1}, {"b": "a"}]}') == {
        "a": {"b": 1},
        "c": [{"b": 1}, {"b": "a"}],
    }


def test_an_operator_of_a_latency_table_that_is_there_twice_is_refused() -> None:
    with pytest.raises(DataError, match="the key 'x' is there twice, in line 1 and again in line 2"):
        LatencyTable.read(b'{"x": 1,\n"x": 2}')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", "010"), ("-05", "-05"), ("1:30", "1:30"), ("1:30.5", "1:30.5"), ("00.5", "00.5"), ("09", "09"),
        ("2026-01-01", "2026-01-01"), ("0", 0), ("0.5", 0.5), ("-0", 0), ("10", 10), ("1_000", 1000), ("0x1F", 31),
        ("1.5e+3", 1500.0), ("true", True), ("null", None),
    ],
)  # fmt: skip
def test_scalars_of_yaml(text: str, value: Any) -> None:
    found = read_yaml(f"key: {text}\n", "yaml")["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_they_are_written() -> None:
    assert list(read_yaml("010: 1\nno: 2\n1_0: 3\n0x1F: 4\n~: 5\n1.50: 6\n", "yaml")) == [
        "010", "no", "1_0", "0x1F", "~", "1.50"
    ]  # fmt: skip


def test_labels_stay_as_they_are_written() -> None:
    assert _labels("layers:\n- options:\n    010: conv\n    no: {block: conv, width: 8}\n    8: identity\n") == [
        "010", "no", "8"
    ]  # fmt: skip
    listed = "layers:\n- default: 010\n  options:\n  - {label: 8, block: identity}\n  - {label: 010, block: conv}\n"
    assert _labels(listed) == ["8", "010"]


@pytest.mark.parametrize(
    ("field", "path", "words"),
    [
        ("width: 024", "layers.0.options.a.width", "Give a whole number without leading zeros, not '024'."),
        ("width: [8, 1:30]", "layers.0.options.a.width.1", "Give a whole number without a colon, not '1:30'."),
        ("width: '024'", "layers.0.options.a.width", "Give a whole number without leading zeros, not '024'."),
        ("expansion: 03", "layers.0.options.a.expansion", "Give a number without leading zeros, not '03'."),
        ("expansion: [6, 03.5]", "layers.0.options.a.expansion.1", "Give a number without leading zeros, not '03.5'."),
    ],
)
def test_numbers_of_a_chain_in_other_notations_are_refused(field: str, path: str, words: str) -> None:
    definition = f"layers:\n- options:\n    a: {{block: inverted_residual, {field}}}\n    b: identity\n"
    assert _faults(_labels, definition)[path] == words


@pytest.mark.parametrize(
    ("field", "path", "words"),
    [
        ("seed: 010", "seed", "Give a whole number without leading zeros, not '010'."),
        ("budget: {seconds: 1:30}", "budget.seconds", "Give a number without a colon, not '1:30'."),
        ("budget: {evaluations: 0100}", "budget.evaluations", "Give a whole number without leading zeros, not '0100'."),
        ("objective: {lo: 00.1}", "objective.lo", "Give a number without leading zeros, not '00.1'."),
    ],
)
def test_numbers_of_a_search_in_other_notations_are_refused(field: str, path: str, words: str) -> None:
    assert _faults(SearchConfig.from_yaml, SEARCH + field) == {path: words}


def test_numbers_of_stored_documents_keep_their_values() -> None:
    document = SearchConfig.from_yaml(SEARCH).as_dict()
    document |= {"seed": "07", "budget": {"evaluations": "010"}, "objective": {"lo": "00.1"}}
    stored = SearchConfig.stored(document)
    assert (stored.seed, stored.budget.evaluations, stored.objective.lo) == (7, 10, 0.1)
    definition = {"layers": [{"options": {"a": "conv", "b": "identity"}}], "head": {"dropout": "00.2"}}
    space = {"kind": "chain", "definition": definition}
    chain = SearchConfig.stored({**document, "space": space}).space
    assert chain.model_dump()["definition"] == definition
    assert parse(chain.definition).dropout == 0.2
    assert create_space(chain, InputSpec()).depth == 1
    with pytest.raises(ConfigError, match=r"without leading zeros, not '00\.2'"):
        create_space(
            SearchConfig.parse({**SearchConfig.from_yaml(SEARCH).as_dict(), "space": space}).space, InputSpec()
        )


def test_names_may_look_like_numbers_and_documents_come_back_the_same() -> None:
    for name in ("010", "1:30", "2026-01-01"):
        config = SearchConfig.from_yaml(f"{SEARCH}name: {name}\nseed: 1_000\n")
        assert (config.name, config.seed) == (name, 1000)
        assert SearchConfig.from_yaml(config.to_yaml()) == config == SearchConfig.stored(config.as_dict())
