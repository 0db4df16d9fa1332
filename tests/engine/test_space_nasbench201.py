"""The NAS-Bench-201 space against the benchmark's own numbers."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine.blueprint import InputSpec
from engine.config.spaces import NasBench201Options
from engine.errors import ArchitectureError
from engine.memory import peak
from engine.spaces.nasbench201 import NasBench201Space

DATASETS = {
    "cifar10": InputSpec(classes=10),
    "cifar100": InputSpec(classes=100),
    "imagenet16_120": InputSpec(3, 16, 16, 120),
}
CONVOLUTIONS = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"


@pytest.mark.shared_data
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("form", ["tensor", "edge"])
def test_all_cells_cost_what_the_benchmark_says(shared_data: Path, dataset: str, form: str) -> None:
    columns = ["arch", f"{dataset}_params_m", f"{dataset}_madds_m"]
    table = pq.read_table(shared_data / "nasbench201.parquet", columns=columns).to_pydict()
    spec = DATASETS[dataset]
    space = NasBench201Space(NasBench201Options(form=form), spec)
    checked = 0
    for name, params, madds in zip(*(table[column] for column in columns), strict=True):
        if params is not None:
            architecture = space.from_string(name)
            assert space.to_string(architecture) == name
            cost = space.cost(architecture)
            assert cost.params == round(params * 1e6)
            # The benchmark counts the classifier's bias as well: one for each class.
            assert cost.madds + spec.classes == round(madds * 1e6)
            checked += 1
    assert checked >= 15_614


def test_the_forms_differ_in_layers_only() -> None:
    tensor, edge = (NasBench201Space(NasBench201Options(form=form), InputSpec()) for form in ("tensor", "edge"))
    assert [len(tensor.options((0,) * layer)) for layer in range(3)] == [5, 25, 125]
    assert [len(edge.options((0,) * layer)) for layer in range(6)] == [5] * 6
    assert tensor.size == edge.size == 15_625
    skips = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"
    assert tensor.to_string(tensor.default()) == edge.to_string(edge.default()) == skips
    assert tensor.content_hash != edge.content_hash


@pytest.mark.parametrize("form", ["tensor", "edge"])
def test_options_run_from_most_to_least_costly(form: str) -> None:
    space = NasBench201Space(NasBench201Options(form=form), InputSpec())
    for layer in range(space.depth):
        before = space.default().choices[:layer]
        costs = [space.cost(space.complete((*before, i))).madds for i in range(len(space.options(before)))]
        assert costs == sorted(costs, reverse=True)
    assert space.to_string(space.architecture((0,) * space.depth)) == CONVOLUTIONS


def test_a_cell_of_nothing_is_zeros_and_a_pool_counts_no_padding() -> None:
    space = NasBench201Space(NasBench201Options(cells=1), InputSpec(3, 8, 8, 2))
    nothing = space.blueprint(space.from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
    assert sum(node.op == "zeros" for node in nothing) == 9
    pools = space.blueprint(space.from_string("|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"))
    pool = next(node for node in pools if node.op == "avg_pool")
    assert dict(pool.attrs) == {"kernel": 3, "stride": 1, "padding": 1}


def test_the_reduced_network_is_motes() -> None:
    space = NasBench201Space(NasBench201Options(), InputSpec())
    reduced = space.reduced_blueprint(space.from_string(CONVOLUTIONS), InputSpec(3, 32, 32, 10), 32)
    pools = [node for node in reduced if node.op == "avg_pool"]
    assert [(p.shape.height, p.integer("kernel")) for p in pools] == [(8, 4)]
    convolutions = [node for node in reduced if node.op == "conv2d"]
    assert len(convolutions) == 13
    assert {node.shape.channels for node in convolutions} == {32}
    assert sum(node.layer is None for node in convolutions) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "3"),
        ("|none~0|+|none~0|none~1|", "2 parts"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|", "tensor 3"),
        ("|none~0|+|none~0|none~2|+|none~0|none~1|none~2|", "none~2"),
        ("|none~0|+|conv~0|none~1|+|none~0|none~1|none~2|", "conv~0"),
        ("none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "tensor 1"),
    ],
)
def test_a_wrong_name_is_refused_at_its_part(text: str, named: str) -> None:
    with pytest.raises(ArchitectureError, match=named):
        NasBench201Space(NasBench201Options(), InputSpec()).from_string(text)


@pytest.mark.parametrize(
    "name",
    [
        "|none~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|",  # a dead branch comes last
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|",
    ],
)
def test_the_peak_of_one_cell_is_that_of_the_network(name: str) -> None:
    space = NasBench201Space(NasBench201Options(channels=4, cells=3), InputSpec(3, 9, 8, 4))
    architecture = space.from_string(name)
    assert space.whole(architecture, "peak_memory_mb") == peak(space.blueprint(architecture))
