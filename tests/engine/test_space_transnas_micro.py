"""The micro space of TransNAS-Bench-101: the benchmark's names, its network counted by hand, exports and the table."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import pytest
import torch

from engine.blueprint import InputSpec
from engine.config.lookups import TableOptions
from engine.config.spaces import TransNasMicroOptions
from engine.cost import blueprint_cost
from engine.errors import ArchitectureError
from engine.estimators.table import TableEstimator
from engine.export.bundle import export
from engine.export.record import ExportSubject
from engine.networks.build import build
from engine.networks.count import count
from engine.spaces.transnas_micro import TransNasMicroSpace
from engine.table import Table

PAPER = InputSpec(3, 256, 256, 75)
README_EXAMPLE = "64-41414-1_02_333"
TABLE = "transnas101_micro.parquet"


@pytest.fixture(scope="module", params=["tensor", "edge"])
def space(request: pytest.FixtureRequest) -> TransNasMicroSpace:
    return TransNasMicroSpace(TransNasMicroOptions(form=request.param), PAPER)


def parameters(name: str, classes: int) -> int:
    """Return the parameters of the benchmark's network, counted by hand from its name."""
    width, modules, cell = name.split("-")
    channels = int(width)
    stem = 3 * channels // 2 * 9 + channels + channels // 2 * channels * 9 + 2 * channels
    total = stem
    for code in modules:
        for block in range(2):
            before = channels
            channels *= 2 if code == "4" and block == 0 else 1
            for row in cell.split("_"):
                for source, operation in enumerate(row):
                    into = before if source == 0 else channels
                    kernel = {"3": 9, "2": 1, "1": 1 if into != channels else 0, "0": 0}[operation]
                    total += kernel * into * channels + (2 * channels if kernel else 0)
    return total + channels * classes + classes


@pytest.mark.shared_data
def test_all_names_of_the_benchmark_are_read_and_written_back(space: TransNasMicroSpace, shared_data: Path) -> None:
    table = pq.read_table(shared_data / TABLE, columns=["arch", "cell"]).to_pydict()
    assert len(table["arch"]) == len(set(table["arch"])) == space.size == 4096
    for name, cell in zip(table["arch"], table["cell"], strict=True):
        architecture = space.from_string(name)
        assert space.to_string(architecture) == name
        assert space.from_string(cell) == architecture


@pytest.mark.shared_data
def test_the_published_table_is_looked_up(space: TransNasMicroSpace, shared_data: Path) -> None:
    table = Table.open(shared_data / TABLE)
    options = TableOptions(path=str(shared_data / TABLE), reward="class_scene_val")
    estimator = TableEstimator(options, space, None, table)
    name, best = table.best("class_scene_val") or ("", 0.0)
    rng = Random(0)
    items = [space.from_string(name), *(space.sample(rng) for _ in range(20))]
    scores = [estimate.score for estimate in estimator.estimate_batch(items, seed=0)]
    assert scores[0] == best
    assert all(score is not None and score <= best for score in scores)


def test_the_network_has_the_parameters_of_the_benchmark_s(space: TransNasMicroSpace) -> None:
    rng = Random(1)
    names = [README_EXAMPLE, "64-41414-3_33_333", "64-41414-0_00_000", "64-41414-1_11_111"]
    for name in [*names, *(space.to_string(space.sample(rng)) for _ in range(30))]:
        assert space.cost(space.from_string(name)).params == parameters(name, PAPER.classes), name


def test_modules_halve_the_map_and_double_the_channels_in_their_first_cell(space: TransNasMicroSpace) -> None:
    blueprint = space.blueprint(space.from_string(README_EXAMPLE))
    ends = {node.group: node.shape for node in blueprint}
    assert (ends["stem"].channels, ends["stem"].height) == (64, 64)
    shapes = [(ends[f"module {m} cell {c}"].channels, ends[f"module {m} cell {c}"].height) for m, c in CELLS]
    assert shapes == [(128, 32)] * 4 + [(256, 16)] * 4 + [(512, 8)] * 2
    strided = [node for node in blueprint if node.op == "conv2d" and node.integer("stride") == 2]
    # The stem has two; in every reducing cell the skip and the first 3x3 convolution have stride 2, a skip with two.
    assert len(strided) == 2 + 3 * (2 + 1)
    assert {node.group for node in strided} == {"stem", "module 1 cell 1", "module 3 cell 1", "module 5 cell 1"}
    probed = {node.group for node in space.probe_blueprint(space.default())} - {"stem", "head"}
    assert probed == {f"module {m} cell {c}" for m, c in CELLS if m in (1, 3, 5)}


CELLS = [(module, cell) for module in range(1, 6) for cell in (1, 2)]


@pytest.mark.parametrize("spec", [InputSpec(1, 1, 1, 2), InputSpec(3, 5, 70, 3), InputSpec(3, 32, 32, 10)])
def test_images_of_any_size_are_searched_at_the_cost_of_the_built_network(spec: InputSpec) -> None:
    space = TransNasMicroSpace(TransNasMicroOptions(channels=5), spec)
    rng = Random(2)
    for architecture in [space.from_string("5-41414-0_00_000"), *(space.sample(rng) for _ in range(5))]:
        blueprint = space.blueprint(architecture)
        assert space.cost(architecture) == blueprint_cost(blueprint) == count(build(blueprint), spec)
        network = build(blueprint).eval()
        assert network(torch.rand(2, spec.channels, spec.height, spec.width)).shape == (2, spec.classes)


def test_options_run_from_most_to_least_costly(space: TransNasMicroSpace) -> None:
    for layer in range(space.depth):
        before = space.default().choices[:layer]
        convolutions = [label.count("3x3") * 9 + label.count("1x1") for label in space.options(before)]
        assert convolutions == sorted(convolutions, reverse=True)
        costs = [space.cost(space.complete((*before, i))).madds for i in range(len(convolutions))]
        assert max(costs) == costs[0]
        assert min(costs) == costs[-1]
    assert space.to_string(space.architecture((0,) * space.depth)) == "64-41414-3_33_333"
    assert space.to_string(space.default()) == "64-41414-1_11_111"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "has 1 parts joined by '-'; a name has 3: width, modules, blocks, such as 64-41414-1_02_333"),
        ("16-41414-1_02_333", "the width '16' is not this space's, which is 64 channels"),
        ("64-1234-1_02_333", "the modules '1234' are not those of this space, 41414"),
        ("64-41414-basic", "the cell 'basic' must be 1, 2 and 3 digits"),
        ("64-41414-1_02_334", "the cell '1_02_334' must be 1, 2 and 3 digits"),
        ("|avg_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|", "tensor 1: 'avg_pool_3x3~0' must be"),
    ],
)
def test_a_wrong_name_is_refused_at_its_part(text: str, named: str) -> None:
    with pytest.raises(ArchitectureError, match=named):
        TransNasMicroSpace(TransNasMicroOptions(), PAPER).from_string(text)


def test_exports_compute_what_the_network_computes() -> None:
    spec = InputSpec(3, 20, 20, 4)
    options = TransNasMicroOptions(channels=4)
    space = TransNasMicroSpace(options, spec)
    architecture = space.from_string("4-41414-1_02_301")
    names = [f"class {number}" for number in range(4)]
    subject = ExportSubject("micro", space, options.model_dump(), architecture, names, {"mean": [0.5]}, weight_seed=3)
    network = build(subject.blueprint, seed=3).eval()
    images = torch.rand(3, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    expected = network(images).detach()
    (scores,) = onnxruntime.InferenceSession(export("onnx", subject).data).run(["logits"], {"images": images.numpy()})
    assert np.abs(scores - expected.numpy()).max() <= 1e-4
    program = torch.export.load(io.BytesIO(export("pt2", subject).data))
    torch.testing.assert_close(program.module()(images), expected, rtol=0, atol=1e-6)
