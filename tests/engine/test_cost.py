"""Counts of single operations, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.blueprint import BlueprintBuilder, InputSpec
from engine.cost import Cost, blueprint_cost, total
from engine.metrics import NODES

SPEC = InputSpec(4, 6, 5, 3)
HALF = 3 * 3  # 6x5 at stride 2, padded: 3x3


@pytest.mark.parametrize(
    ("append", "expected"),
    [
        (lambda b: b.conv2d(b.input, 8, 3), Cost(4 * 9 * 8, 4 * 9 * 8 * 30, 8 * 30)),
        (lambda b: b.conv2d(b.input, 8, 3, stride=2), Cost(4 * 9 * 8, 4 * 9 * 8 * HALF, 8 * HALF)),
        (lambda b: b.conv2d(b.input, 8, 1, bias=True), Cost(4 * 8 + 8, 4 * 8 * 30, 8 * 30)),
        (lambda b: b.depthwise(b.input, 5), Cost(25 * 4, 25 * 4 * 30, 4 * 30)),
        (lambda b: b.conv2d(b.input, 8, 1, groups=2), Cost(2 * 8, 2 * 8 * 30, 8 * 30)),
        (lambda b: b.batch_norm(b.input), Cost(8, 0, 0)),
        (lambda b: b.activation(b.input), Cost()),
        (lambda b: b.dropout(b.input, 0.5), Cost()),
        (lambda b: b.zeros(b.input), Cost()),
        (lambda b: b.max_pool(b.input, 2), Cost(0, 0, 4 * 3 * 2)),
        (lambda b: b.global_avg_pool(b.input), Cost(0, 0, 4)),
        (lambda b: b.add([b.input, b.input]), Cost(0, 0, 120)),
        (lambda b: b.concat([b.input, b.input]), Cost(0, 0, 240)),
        (lambda b: b.multiply(b.input, b.global_avg_pool(b.input)), Cost(0, 0, 124)),
        (lambda b: b.linear(b.input, 3), Cost(120 * 3 + 3, 120 * 3, 3)),
        (lambda b: b.head(b.input), Cost(4 * 3 + 3, 4 * 3, 4 + 3)),
    ],
)
def test_operations_count_as_by_hand(append: Callable[[BlueprintBuilder], str], expected: Cost) -> None:
    builder = BlueprintBuilder(SPEC)
    append(builder)
    assert blueprint_cost(builder.build()) == expected


def test_metrics_carry_their_unit() -> None:
    cost = Cost(params=1_500_000, madds=2_000_000, activations=250_000)
    assert cost.as_dict() == {"params_m": 1.5, "madds_m": 2.0, "activation_mb": 1.0}
    assert set(cost.as_dict()) == set(NODES)
    with pytest.raises(KeyError):
        cost.metric("latency_ms")


def test_costs_add() -> None:
    assert Cost(1, 2, 3) + Cost(10, 20, 30) == total([Cost(1, 2, 3), Cost(10, 20, 30)]) == Cost(11, 22, 33)
    assert total([]) == Cost()
