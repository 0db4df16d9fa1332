"""Canonical blueprints are equal exactly for networks that train in the same way."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.blueprint import Blueprint, InputSpec
from engine.canonical import canonical, reaches_output, structure
from engine.config.spaces import NasBench201Options
from engine.errors import ArchitectureError
from engine.launches import launches, mean_launches, seconds
from engine.spaces.nasbench201 import NasBench201Space

SPEC = InputSpec(3, 8, 8, 10)
SPACE = NasBench201Space(NasBench201Options(), SPEC)
ALIKE = [
    ("a dead branch", "|none~0|+|none~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|none~2|",
     "|nor_conv_1x1~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"),
    ("tensors exchanged", "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
     "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"),
    ("a sum of sums", "|skip_connect~0|+|avg_pool_3x3~0|none~1|+|nor_conv_3x3~0|nor_conv_1x1~1|skip_connect~2|",
     "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|none~0|avg_pool_3x3~1|skip_connect~2|"),
    ("one pooling taken twice", "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|skip_connect~1|skip_connect~2|",
     "|none~0|+|avg_pool_3x3~0|none~1|+|avg_pool_3x3~0|none~1|skip_connect~2|"),
]  # fmt: skip
SHARED = "|nor_conv_1x1~0|+|avg_pool_3x3~0|skip_connect~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
SEPARATE = "|nor_conv_1x1~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|"


def reduced(name: str) -> Blueprint:
    """Return MOTE's network of a cell."""
    return SPACE.reduced_blueprint(SPACE.from_string(name), SPEC, 32)


@pytest.mark.parametrize(("first", "second"), [pair[1:] for pair in ALIKE], ids=[pair[0] for pair in ALIKE])
def test_cells_that_train_alike_are_equal(first: str, second: str) -> None:
    assert structure(canonical(reduced(first))) == structure(canonical(reduced(second)))
    assert structure(reduced(first)) != structure(reduced(second))


def test_weights_shared_and_weights_apart_are_not_alike() -> None:
    assert structure(canonical(reduced(SHARED))) != structure(canonical(reduced(SEPARATE)))


def test_the_canonical_form_is_its_own() -> None:
    rng = Random(3)
    for _ in range(50):
        blueprint = reduced(SPACE.to_string(SPACE.sample(rng)))
        if reaches_output(blueprint):
            once = canonical(blueprint)
            assert structure(canonical(once)) == structure(once)
            assert once.output.shape == blueprint.output.shape


def test_a_cut_off_network_has_none() -> None:
    blueprint = reduced("|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|")
    assert not reaches_output(blueprint)
    with pytest.raises(ArchitectureError, match="no path leads from the image"):
        canonical(blueprint)


def test_time_counts_what_is_built_and_its_mean_over_the_space_is_the_published_one() -> None:
    built = partial(SPACE.reduced_blueprint, spec=SPEC, channels=32)
    rng = Random(5)
    mean = mean_launches(SPACE, built)
    assert mean == mean_launches(SPACE, built)
    times = [seconds(SPACE.reduced_blueprint(SPACE.sample(rng), SPEC, 32), mean) for _ in range(2000)]
    assert sum(times) / len(times) == pytest.approx(7.53, rel=0.02)
    dead = reduced(ALIKE[0][1])
    alive = reduced(ALIKE[0][2])
    assert launches(dead) == launches(alive) == launches(canonical(dead)) + 2


@pytest.mark.shared_data
def test_cells_of_one_form_have_one_accuracy(shared_data: Path) -> None:
    """Over half of NAS-Bench-201's cells repeat another one; the trainings of one form differ only by chance."""
    columns = ["arch", "cifar10_test_acc_200"]
    rows = pq.read_table(shared_data / "nasbench201.parquet", columns=columns).slice(0, 2000).to_pylist()
    forms: dict[object, list[float]] = {}
    for row in rows:
        blueprint = reduced(row["arch"])
        if reaches_output(blueprint):
            forms.setdefault(structure(canonical(blueprint)), []).append(row["cifar10_test_acc_200"])
    spreads = [np.std(accuracies) for accuracies in forms.values() if len(accuracies) > 1]
    assert len(forms) < 0.6 * len(rows)
    assert np.mean(spreads) < 0.05 * np.std([row["cifar10_test_acc_200"] for row in rows])
