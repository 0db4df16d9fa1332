"""Trained layers: the count by steps is that of the blueprint, on every space."""

from __future__ import annotations

from random import Random

import pytest

from engine.trained_layers import TrainedLayers
from tests.engine.driving import SPACE_OPTIONS, make_space


@pytest.mark.parametrize("name", [name for name, options in SPACE_OPTIONS.items() if options is not None])
def test_the_count_is_that_of_the_blueprint(name: str) -> None:
    space = make_space(name)
    counted = TrainedLayers(space)
    rng = Random(1)
    for architecture in (space.default(), *(space.sample(rng) for _ in range(12))):
        nodes = space.blueprint(architecture)
        convolutions = sum(node.op == "conv2d" for node in nodes)
        assert convolutions > 0
        assert counted.of(architecture.choices) == convolutions + sum(node.op == "linear" for node in nodes)
