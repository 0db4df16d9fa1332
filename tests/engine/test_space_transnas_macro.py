"""The macro space of TransNAS-Bench-101: exactly the benchmark's networks, exact intervals, exports and the table."""

from __future__ import annotations

import io
from collections import Counter
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import pytest
import torch

from engine.blueprint import InputSpec
from engine.config.lookups import TableOptions
from engine.config.spaces import TransNasMacroOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.estimators.table import TableEstimator
from engine.export.bundle import export
from engine.export.record import ExportSubject
from engine.metrics import NODES
from engine.networks.build import build
from engine.networks.count import count
from engine.space import Choices
from engine.spaces.transnas_macro import TransNasMacroSpace
from engine.table import Table

PAPER = InputSpec(3, 256, 256, 75)
SMALL = InputSpec(3, 32, 32, 10)
TABLE = "transnas101_macro.parquet"


@pytest.fixture(scope="module")
def space() -> TransNasMacroSpace:
    return TransNasMacroSpace(TransNasMacroOptions(), PAPER)


@pytest.fixture(scope="module")
def everything(space: TransNasMacroSpace) -> list[Choices]:
    """Return the choices of all networks, found by following every option of every prefix."""
    prefixes: list[Choices] = [()]
    for _ in range(space.depth):
        prefixes = [(*prefix, choice) for prefix in prefixes for choice in range(len(space.options(prefix)))]
    return prefixes


def modules_by_rule() -> set[str]:
    """Return the modules of all networks, listed from the benchmark's rule."""
    listed = ("".join(codes) for number in (4, 5, 6) for codes in product("1234", repeat=number))
    return {
        modules
        for modules in listed
        if 1 <= sum(code in "24" for code in modules) <= 3 and 1 <= sum(code in "34" for code in modules) <= 4
    }


def parameters(name: str, classes: int) -> int:
    """Return the parameters of the benchmark's network, counted by hand from its name."""
    width, modules, _ = name.split("-")
    channels = int(width)
    total = 3 * channels // 2 * 9 + channels + channels // 2 * channels * 9 + 2 * channels
    for code in modules:
        before = channels
        channels *= 2 if code in "24" else 1
        total += 9 * before * channels + 3 * 9 * channels * channels + 4 * 2 * channels
        total += 0 if code == "1" else before * channels + 2 * channels
    return total + channels * classes + classes


def test_the_space_has_exactly_the_networks_of_the_rule(space: TransNasMacroSpace, everything: list[Choices]) -> None:
    names = [space.to_string(space.architecture(choices)) for choices in everything]
    assert len(names) == len(set(names)) == space.size == 3256
    assert set(names) == {f"64-{modules}-basic" for modules in modules_by_rule()}
    most = [0] * space.depth
    for choices in everything:
        for layer in range(space.depth):
            most[layer] = max(most[layer], len(space.options(choices[:layer])))
    assert space.option_counts() == tuple(most) == (4, 4, 4, 4, 5, 5)


@pytest.mark.shared_data
def test_all_names_of_the_benchmark_are_read_and_written_back(space: TransNasMacroSpace, shared_data: Path) -> None:
    names = pq.read_table(shared_data / TABLE, columns=["arch"]).to_pydict()["arch"]
    architectures = [space.from_string(name) for name in names]
    assert len(set(architectures)) == space.size
    assert [space.to_string(architecture) for architecture in architectures] == names


@pytest.mark.shared_data
def test_the_published_table_is_looked_up(space: TransNasMacroSpace, shared_data: Path) -> None:
    table = Table.open(shared_data / TABLE)
    options = TableOptions(path=str(shared_data / TABLE), reward="jigsaw_val")
    estimator = TableEstimator(options, space, None, table)
    name, best = table.best("jigsaw_val") or ("", 0.0)
    rng = Random(0)
    items = [space.from_string(name), *(space.sample(rng) for _ in range(20))]
    scores = [estimate.score for estimate in estimator.estimate_batch(items, seed=0)]
    assert scores[0] == best
    assert all(score is not None and score <= best for score in scores)


def test_the_network_has_the_parameters_of_the_benchmark_s(
    space: TransNasMacroSpace, everything: list[Choices]
) -> None:
    for choices in everything[::50]:
        name = space.to_string(space.architecture(choices))
        assert space.cost(space.architecture(choices)).params == parameters(name, PAPER.classes), name


def test_modules_double_and_halve_in_their_first_block(space: TransNasMacroSpace) -> None:
    blueprint = space.blueprint(space.from_string("64-12341-basic"))
    ends = {node.group: (node.shape.channels, node.shape.height) for node in blueprint}
    assert [ends[f"module {number}"] for number in range(1, 6)] == [
        (64, 64),
        (128, 64),
        (128, 32),
        (256, 16),
        (256, 16),
    ]
    assert (ends["stem"], "module 6" in ends) == ((64, 64), False)
    convolutions = Counter(node.group for node in blueprint if node.op == "conv2d")
    # Four 3x3 convolutions and, where the map changes, one 1x1 shortcut.
    assert [convolutions[f"module {number}"] for number in range(1, 6)] == [4, 5, 5, 5, 4]
    probed = space.probe_blueprint(space.from_string("64-12341-basic"))
    probed_convolutions = Counter(node.group for node in probed if node.op == "conv2d")
    assert [probed_convolutions[f"module {number}"] for number in range(1, 6)] == [2, 3, 3, 3, 2]


def test_intervals_are_exact(everything: list[Choices]) -> None:
    space = TransNasMacroSpace(TransNasMacroOptions(channels=8), SMALL)
    costs = {choices: space.cost(space.architecture(choices)) for choices in everything}
    peaks = {choices: space.metrics(space.architecture(choices))["peak_memory_mb"] for choices in everything}
    rng = Random(3)
    for length in range(space.depth + 1):
        for until in range(length, space.depth + 1):
            prefix = space.sample(rng).choices[:length]
            reached = {space.complete(c[:until]).choices for c in everything if c[:length] == prefix}
            for metric in NODES:
                values = [costs[choices].metric(metric) for choices in reached]
                assert space.cost_range(prefix, metric, until) == (min(values), max(values))
            memory = [peaks[choices] for choices in reached]
            assert space.whole_range(prefix, "peak_memory_mb", until) == (min(memory), max(memory))


@pytest.mark.parametrize("spec", [InputSpec(1, 1, 1, 2), InputSpec(3, 5, 70, 3), SMALL])
def test_images_of_any_size_are_searched_at_the_cost_of_the_built_network(spec: InputSpec) -> None:
    space = TransNasMacroSpace(TransNasMacroOptions(channels=5), spec)
    rng = Random(2)
    for architecture in [space.from_string("5-343312-basic"), *(space.sample(rng) for _ in range(3))]:
        blueprint = space.blueprint(architecture)
        assert space.cost(architecture) == blueprint_cost(blueprint) == count(build(blueprint), spec)
        network = build(blueprint).eval()
        assert network(torch.rand(2, spec.channels, spec.height, spec.width)).shape == (2, spec.classes)


def test_random_networks_are_drawn_uniformly(space: TransNasMacroSpace) -> None:
    rng = Random(0)
    lengths = Counter(len(space.to_string(space.sample(rng)).split("-")[1]) for _ in range(4000))
    shares = {number: drawn / 4000 for number, drawn in lengths.items()}
    assert shares == pytest.approx({4: 210 / 3256, 5: 750 / 3256, 6: 2296 / 3256}, abs=0.02)


def test_a_changed_network_keeps_its_other_modules_where_it_can(space: TransNasMacroSpace) -> None:
    architecture = space.from_string("64-13122-basic")
    last = space.options(architecture.choices[:5])
    assert last[architecture.choices[5]] == "end"
    changes = {
        space.to_string(space.architecture(space.changed(architecture.choices, layer, option)))
        for layer in range(space.depth)
        for option in range(len(space.options(architecture.choices[:layer])))
    }
    # With a third doubling in front all others stay; without the only halving, or with an earlier end, defaults follow.
    assert {"64-23122-basic", "64-43122-basic", "64-33122-basic", "64-13142-basic", "64-131221-basic"} <= changes
    assert all(1 <= sum(code in "34" for code in name.split("-")[1]) <= 4 for name in changes)


def test_options_are_listed_by_cost_and_no_prefix_leads_nowhere(space: TransNasMacroSpace) -> None:
    assert space.options(()) == ("double", "plain", "both", "halve")
    assert space.options((1, 1, 1, 1)) == ("double", "plain", "both", "halve")  # four plain modules are no network
    assert space.options((1, 1, 1, 1, 1)) == ("both",)
    assert space.options((0, 2, 2, 1)) == ("plain", "halve", "end")
    assert space.options((2, 2, 2)) == ("plain", "halve")
    ended = space.from_string("64-4441-basic").choices
    assert (space.options(ended[:5]), len(ended)) == (("end",), 6)
    assert space.to_string(space.default()) == "64-222113-basic"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "has 1 parts joined by '-'; a name has 3: width, modules, blocks, such as 64-433241-basic"),
        ("32-433241-basic", "the width '32' is not this space's, which is 64 channels"),
        ("64-433241-1_02_333", "the blocks '1_02_333' are not those of this space, 'basic'"),
        ("64-423-basic", "the modules '423' must be 4 to 6 digits"),
        ("64-4235-basic", "the modules '4235' must be 4 to 6 digits, each of them 1"),
        ("64-1111-basic", "double the channels 0 times and halve the map 0 times"),
        ("64-444422-basic", "double the channels 6 times and halve the map 4 times; this space doubles 1 to 3 times"),
    ],
)
def test_a_wrong_name_is_refused_at_its_part(space: TransNasMacroSpace, text: str, named: str) -> None:
    with pytest.raises(ArchitectureError, match=named):
        space.from_string(text)


def test_reduced_networks_all_differ(space: TransNasMacroSpace, everything: list[Choices]) -> None:
    spec = InputSpec(1, 16, 16, 10)
    reduced = [space.reduced_blueprint(space.architecture(choices), spec, 32) for choices in everything[::8]]
    assert len({tuple((n.op, n.inputs, n.shape, *n.attrs.items()) for n in blueprint) for blueprint in reduced}) == 407
    widths = {node.shape.channels for node in reduced[0] if node.op == "conv2d"}
    assert (min(widths), max(widths)) == (8, 64)


def test_exports_compute_what_the_network_computes() -> None:
    spec = InputSpec(3, 20, 20, 4)
    options = TransNasMacroOptions(channels=4)
    space = TransNasMacroSpace(options, spec)
    architecture = space.from_string("4-12341-basic")
    names = [f"class {number}" for number in range(4)]
    subject = ExportSubject("macro", space, options.model_dump(), architecture, names, {"mean": [0.5]}, weight_seed=3)
    network = build(subject.blueprint, seed=3).eval()
    images = torch.rand(3, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    expected = network(images).detach()
    (scores,) = onnxruntime.InferenceSession(export("onnx", subject).data).run(["logits"], {"images": images.numpy()})
    assert np.abs(scores - expected.numpy()).max() <= 1e-4
    program = torch.export.load(io.BytesIO(export("pt2", subject).data))
    torch.testing.assert_close(program.module()(images), expected, rtol=0, atol=1e-6)
