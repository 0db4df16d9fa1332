"""Latency tables: names, files, and sums that are exact through every space's cost intervals."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from engine.blueprint import BlueprintBuilder, InputSpec
from engine.config.search import Objective
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    MobileNetOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    SpaceOptions,
    TransNasMacroOptions,
    TransNasMicroOptions,
)
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError, ConfigError, DataError
from engine.latency import LatencyTable
from engine.operators import Operator
from engine.problem import SearchProblem
from engine.registry import create_space
from engine.space import SearchSpace

CHAIN = {
    "stem": {"width": 8},
    "layers": [
        {"options": {"a": {"block": "conv", "width": 8}, "ir": {"block": "inverted_residual", "expansion": [2, 3]}}},
        {"virtual": "width", "options": [12, 8]},
        {"stride": 2, "options": {"c": {"block": "separable_conv", "kernel": [3, 5]}}},
        {"options": {"skip": "identity", "pool": "max_pool", "se": {"block": "conv", "activation": "swish"}}},
    ],
}
OPTIONS: dict[str, tuple[SpaceOptions, InputSpec]] = {
    "chain": (ChainOptions(definition=CHAIN), InputSpec(3, 9, 9, 4)),
    "nasbench201": (NasBench201Options(channels=4, cells=1), InputSpec(1, 8, 8, 10)),
    "nats_size": (NatsSizeOptions(), InputSpec(3, 8, 8, 10)),
    "darts": (DartsOptions(cells=3, channels=4), InputSpec(1, 8, 8, 10)),
    "nasbench101": (NasBench101Options(channels=8, cells=2), InputSpec(1, 8, 8, 10)),
    "mobilenet": (MobileNetOptions(variant="60m"), InputSpec(3, 32, 32, 10)),
    "transnas_micro": (TransNasMicroOptions(channels=4), InputSpec(3, 17, 17, 10)),
    "transnas_macro": (TransNasMacroOptions(channels=4), InputSpec(3, 17, 17, 10)),
}


def invented(space: SearchSpace, seed: int = 0) -> LatencyTable:
    """Return a made-up table of all the space's operators."""
    rng = Random(f"latency:{seed}")
    return LatencyTable({op: rng.uniform(0.001, 2) for op in sorted(space.operators())})


@pytest.fixture(params=OPTIONS, scope="module")
def space(request: pytest.FixtureRequest) -> SearchSpace:
    options, spec = OPTIONS[request.param]
    return create_space(options, spec, invented(create_space(options, spec)))


def test_a_network_takes_the_sum_of_its_nodes(space: SearchSpace) -> None:
    assert space.latency is not None
    rng = Random(1)
    for _ in range(10):
        architecture = space.sample(rng)
        operators = blueprint_cost(space.blueprint(architecture)).operators
        by_hand = sum(space.latency.named[op.name] for op in operators)
        assert space.cost(architecture).metric("latency_ms") == pytest.approx(by_hand, rel=1e-9)
        assert space.cost(architecture).as_dict()["latency_ms"] == space.cost(architecture).metric("latency_ms")
        assert (
            space.cost_range(architecture.choices, "latency_ms") == (space.cost(architecture).metric("latency_ms"),) * 2
        )


def test_the_operators_of_a_space_are_those_of_its_networks(space: SearchSpace) -> None:
    rng = Random(2)
    found = set()
    for _ in range(30):
        found |= set(blueprint_cost(space.blueprint(space.sample(rng))).operators)
    assert found <= space.operators()


def test_intervals_of_latency_are_exact() -> None:
    options, spec = OPTIONS["chain"]
    space = create_space(options, spec, invented(create_space(options, spec)))
    sizes = [len(space.options((0,) * layer)) for layer in range(space.depth)]
    everything = {c: space.cost(space.architecture(c)).metric("latency_ms") for c in product(*map(range, sizes))}
    for prefix in [(), (1,), (2, 1), (0, 0, 1)]:
        behind = [cost for choices, cost in everything.items() if choices[: len(prefix)] == prefix]
        assert space.cost_range(prefix, "latency_ms") == (min(behind), max(behind))
    named = {op for c in everything for op in blueprint_cost(space.blueprint(space.architecture(c))).operators}
    assert named == space.operators()


def test_a_latency_limit_is_kept_and_an_incomplete_table_refused() -> None:
    options, spec = OPTIONS["nasbench201"]
    bare = create_space(options, spec)
    table = invented(bare)
    space = create_space(options, spec, table)
    low, high = space.cost_range((), "latency_ms")
    middle = (low + high) / 2
    problem = SearchProblem(space, Objective(cost_metric="latency_ms", hi=middle, latency_table=1))
    problem.check()
    costs = problem.child_costs(())
    children = problem.children(())
    assert children
    assert all(costs[option] <= middle for option in children)
    with pytest.raises(ConfigError, match="No network is this cheap"):
        SearchProblem(space, Objective(cost_metric="latency_ms", hi=low / 2, latency_table=1)).check()
    with pytest.raises(ConfigError, match="needs a latency table") as unnamed:
        SearchProblem(bare, Objective(cost_metric="latency_ms")).check()
    assert unnamed.value.errors[0].path == "objective.latency_table"
    lacking = sorted(space.operators())[0]
    partial = LatencyTable({op: 1.0 for op in space.operators() if op != lacking})
    with pytest.raises(ConfigError) as refused:
        SearchProblem(create_space(options, spec, partial), Objective()).check()
    assert lacking.name in str(refused.value)
    assert f"1 of this space's {len(space.operators())} operators" in str(refused.value)


def test_names_are_read_back(space: SearchSpace) -> None:
    for operator in space.operators():
        assert Operator.parse(operator.name) == operator
    b = BlueprintBuilder(InputSpec(4, 6, 5, 3))
    b.concat([b.input, b.multiply(b.input, b.global_avg_pool(b.input))])
    names = [operator.name for operator in blueprint_cost(b.build()).operators]
    assert names == ["global_avg_pool 4x6x5", "multiply 4x6x5+4x1x1", "concat 4x6x5+4x6x5"]
    assert [Operator.parse(name).name for name in names] == names


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is no operation"),
        ("matmul 3x3x3", "'matmul' is no operation"),
        ("batch_norm 3x3", "'3x3' is no shape"),
        ("batch_norm 0x-1x3", "is no shape"),
        ("batch_norm", "is no shape"),
        ("batch_norm 3x3x3 kernel=3", "is written"),
        ("max_pool 3x8x8 kernel=3 padding=1", "stride=..."),
        ("max_pool 3x8x8 kernel=x padding=1 stride=1", "kernel must be a whole number"),
        ("activation 3x8x8 function=magic", "function must be one of"),
    ],
)
def test_wrong_names_are_refused_in_words(name: str, reason: str) -> None:
    with pytest.raises(ArchitectureError, match=reason):
        Operator.parse(name)


def test_files_are_read_back_and_equal_content_has_one_hash() -> None:
    options, spec = OPTIONS["chain"]
    table = invented(create_space(options, spec))
    again = LatencyTable.read(LatencyTable.csv_of(table.named).encode())
    swapped = LatencyTable.of(reversed(table.named.items()))
    assert again.named == table.named == swapped.named
    assert again.content_hash == table.content_hash == swapped.content_hash
    name, value = next(iter(table.named.items()))
    changed = LatencyTable.of({**table.named, name: value + 0.001}.items())
    assert changed.content_hash != table.content_hash
    small = LatencyTable.read(b'{"operators": {"batch_norm 3x8x8": 0.25}, "device": "cpu"}')
    assert small.named == LatencyTable.read(b'{"batch_norm 3x8x8": "0.25"}').named == {"batch_norm 3x8x8": 0.25}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "must name the columns operator and milliseconds"),
        (b"op,ms\nbatch_norm 3x8x8,1\n", "must name the columns"),
        (b"operator,milliseconds\n", "names no operator"),
        (b"operator,milliseconds\nbatch_norm 3x8x8\n", "Row 2 has 1 cells"),
        (b"operator,milliseconds\nbatch_norm 3x8x8,fast\n", "'fast' is no number"),
        (b"operator,milliseconds\nbatch_norm 3x8x8,-1\n", "'-1' is no number"),
        (b"operator,milliseconds\nbatch_norm 3x8x8,nan\n", "'nan' is no number"),
        (b"operator,milliseconds\nbatch_norm 3x8x8,1\nbatch_norm 3x8x8,2\n", "there twice"),
        (b"operator,milliseconds\nbatch_norm 3x8x8,1\nmagic 3x8x8,2\n", "Operator 2 of the table: 'magic'"),
        (b'{"operators": [1]}', "A JSON table is"),
        (b'{"operators": ', "JSON cannot be read"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"batch_norm 3x8x8": true}', "'True' is no number"),
    ],
)
def test_faulty_files_are_refused_in_words(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        LatencyTable.read(content)
