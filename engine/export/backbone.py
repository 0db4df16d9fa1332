"""The backbone form of a network for detection and segmentation: its feature maps at strides 8, 16 and 32.

The feature map of a stride is the output of the last part of the network (a block, a cell) with a map of that size. The
classifier is cut off. Nodes keep their names, so that the weights of the whole network fit. Pure Python.
"""

from __future__ import annotations

from engine.blueprint import Blueprint, Node
from engine.drawing.stack import parts_of
from engine.errors import ExportError

STRIDES = (8, 16, 32)


def backbone(blueprint: Blueprint) -> Blueprint:
    """Return the network up to its features, finest first; ExportError if it does not have all three strides."""
    features = []
    height, width = blueprint.input.height, blueprint.input.width
    if min(height, width) <= STRIDES[1]:
        raise ExportError(
            f"a backbone gives feature maps at strides 8, 16 and 32; images of {height}x{width} are too small for them"
        )
    bodies = [part for part in parts_of(blueprint) if not _is_head(part.nodes)]
    for stride in STRIDES:
        size = (-(-height // stride), -(-width // stride))
        fitting = [part for part in bodies if (part.result.height, part.result.width) == size]
        if not fitting:
            found = sorted({round(height / part.result.height) for part in bodies})
            raise ExportError(
                "a backbone gives feature maps at strides 8, 16 and 32; this network has them at "
                f"{', '.join(map(str, found))} for images of {height}x{width}, not at {stride}: "
                "choose a network from a space with more strides, such as the MobileNet spaces"
            )
        features.append(fitting[-1].nodes[-1].name)
    return Blueprint(blueprint.input, _needed(blueprint, features), tuple(features))


def _is_head(nodes: tuple[Node, ...]) -> bool:
    """Return whether a part contains the global pooling or the classifier."""
    return nodes[-1].op in ("linear", "global_avg_pool") or nodes[0].group == "head"


def _needed(blueprint: Blueprint, names: list[str]) -> tuple[Node, ...]:
    """Return the nodes on which the named ones depend, in the blueprint's order."""
    needed = set(names)
    for node in reversed(blueprint.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return tuple(node for node in blueprint if node.name in needed)
