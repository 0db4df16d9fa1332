"""A common form for all blueprints that train in the same way, so that such networks get the same score.

`canonical` removes nodes whose value never reaches the output, and treats nodes whose value does not depend on the
image as zeros. It merges nodes without weights that compute the same value. The remaining nodes get names and an order
that depend only on the structure. Networks that differ only in dead branches, in the order of summands or in the
numbering of their tensors become equal blueprints. They then have the same initial weights, the same training and bit
for bit the same score.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.blueprint import Blueprint, Node
from engine.errors import ArchitectureError

UNORDERED = frozenset({"add"})
WEIGHTLESS = frozenset(
    {"activation", "max_pool", "avg_pool", "global_avg_pool", "add", "multiply", "concat", "truncate", "shift", "zeros"}
)
"""Operations without weights: equal operations on equal inputs compute equal values, so one node is enough."""


def reached_by_image(blueprint: Blueprint) -> dict[str, bool]:
    """Return, for every node, whether its value depends on the image; zeros and products with zeros do not."""
    reached: dict[str, bool] = {}
    for node in blueprint:
        sources = [reached[name] for name in node.inputs]
        if node.op in ("input", "zeros"):
            reached[node.name] = node.op == "input"
        else:
            reached[node.name] = all(sources) if node.op == "multiply" else any(sources)
    return reached


def reaches_output(blueprint: Blueprint) -> bool:
    """Return whether the class scores depend on the image."""
    return reached_by_image(blueprint)[blueprint.output.name]


def canonical(blueprint: Blueprint) -> Blueprint:
    """Return the blueprint's canonical form; ArchitectureError if the output does not depend on the image."""
    nodes, output = _simplified(blueprint)
    ranks = _ranks(nodes, output)
    order = sorted(nodes.values(), key=lambda node: ranks[node.name])
    names = {node.name: f"{node.op}_{number}" for number, node in enumerate(order)}
    renamed = []
    for node in order:
        inputs = [names[source] for source in node.inputs]
        if node.op in UNORDERED:
            inputs.sort(key=lambda name: int(name.rpartition("_")[2]))
        renamed.append(Node(names[node.name], node.op, tuple(inputs), node.shape, node.attrs))
    return Blueprint(blueprint.input, tuple(renamed))


def structure(blueprint: Blueprint) -> tuple[Any, ...]:
    """Return a hashable value that is equal exactly for blueprints with equal nodes."""
    nodes = ((n.name, n.op, n.inputs, n.shape, tuple(sorted(n.attrs.items()))) for n in blueprint)
    return (blueprint.input, *nodes)


def _simplified(blueprint: Blueprint) -> tuple[dict[str, Node], str]:
    """Return the nodes that matter, by name in topological order, and the output's name."""
    reached = reached_by_image(blueprint)
    if not reached[blueprint.output.name]:
        raise ArchitectureError("no path leads from the image to the class scores")
    stands_for: dict[str, str] = {}
    kept: dict[str, Node] = {}
    equal: dict[Any, str] = {}
    for node in blueprint:
        inputs = [stands_for[source] for source in node.inputs if node.op != "add" or reached[source]]
        if not reached[node.name]:
            node = Node(node.name, "zeros", (blueprint.nodes[0].name,), node.shape)
            inputs = [blueprint.nodes[0].name]
        elif node.op == "add" and len(inputs) == 1:
            stands_for[node.name] = inputs[0]
            continue
        key = (node.op, _inputs_key(node.op, inputs), node.shape, tuple(sorted(node.attrs.items())))
        if node.op in WEIGHTLESS and key in equal:
            stands_for[node.name] = equal[key]
            continue
        equal[key] = stands_for[node.name] = node.name
        kept[node.name] = Node(node.name, node.op, tuple(inputs), node.shape, node.attrs)
    output = stands_for[blueprint.output.name]
    needed = {output, blueprint.nodes[0].name}
    for node in reversed(kept.values()):
        if node.name in needed:
            needed.update(node.inputs)
    return _flattened({name: node for name, node in kept.items() if name in needed}), output


def _flattened(nodes: dict[str, Node]) -> dict[str, Node]:
    """Return the nodes with nested sums merged into one sum, if no other node reads the inner sum."""
    readers = Counter(source for node in nodes.values() for source in node.inputs)
    flat: dict[str, Node] = {}
    for node in nodes.values():
        inputs: list[str] = []
        for source in node.inputs:
            inner = node.op == "add" and flat[source].op == "add" and readers[source] == 1
            inputs += flat.pop(source).inputs if inner else (source,)
        flat[node.name] = replace(node, inputs=tuple(inputs))
    return flat


def _inputs_key(op: str, inputs: list[str]) -> tuple[str, ...]:
    return tuple(sorted(inputs) if op in UNORDERED else inputs)


def _ranks(nodes: Mapping[str, Node], output: str) -> dict[str, tuple[int, int]]:
    """Return the depth and the colour of every node; a colour is a number that describes the node's surroundings.

    The first colours describe only the nodes themselves. They are refined by the colours of inputs and readers until
    their number no longer grows. Nodes with the same final colour and depth keep their order.
    """
    depth: dict[str, int] = {}
    readers: dict[str, list[str]] = defaultdict(list)
    for node in nodes.values():
        depth[node.name] = 1 + max((depth[source] for source in node.inputs), default=-1)
        for source in node.inputs:
            readers[source].append(node.name)
    keys: dict[str, Any] = {
        node.name: (depth[node.name], node.op, repr(node.shape), repr(sorted(node.attrs.items())))
        for node in nodes.values()
    }
    colours = _numbered(keys)
    while True:
        keys = {}
        for node in nodes.values():
            sources = [colours[source] for source in node.inputs]
            inputs = tuple(sorted(sources) if node.op in UNORDERED else sources)
            keys[node.name] = (colours[node.name], inputs, tuple(sorted(colours[r] for r in readers[node.name])))
        refined = _numbered(keys)
        if len(set(refined.values())) == len(set(colours.values())):
            return {name: (depth[name], colours[name]) for name in nodes}
        colours = refined


def _numbered(keys: Mapping[str, Any]) -> dict[str, int]:
    numbers = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    return {name: numbers[key] for name, key in keys.items()}
