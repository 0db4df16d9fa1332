"""Networks that differ in one layer."""

from __future__ import annotations

from random import Random

from engine.space import Choices, SearchSpace


def neighbours(space: SearchSpace, choices: Choices) -> list[tuple[int, Choices]]:
    """Return every network one change away, feasible or not, with the layer that was changed."""
    return [
        (layer, space.changed(choices, layer, option))
        for layer, kept in enumerate(choices)
        for option in range(len(space.options(choices[:layer])))
        if option != kept
    ]


def mutated(space: SearchSpace, choices: Choices, rng: Random) -> tuple[int, Choices]:
    """Return a random layer, and the network with a random other option there.

    The network stays the same if that layer has only one option.
    """
    layer = rng.randrange(len(choices))
    others = [option for option in range(len(space.options(choices[:layer]))) if option != choices[layer]]
    return layer, space.changed(choices, layer, rng.choice(others)) if others else choices
