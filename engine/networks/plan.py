"""The order of computation, which a built module and its generated source share; pure Python."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from engine.blueprint import Blueprint, Node

POINTWISE = frozenset({"activation", "dropout"})
IN_PLACE = frozenset({"relu", "relu6"})
OVERWRITABLE = frozenset({"conv2d", "batch_norm", "linear"})


@dataclass(frozen=True)
class Step:
    """One node to compute.

    ``inputs`` are the node's inputs, without zeros in sums. ``finished`` are the values that no later step needs. With
    ``in_place`` the activation may overwrite its input. With ``flat`` the linear layer's ``(B, F)`` output need not
    become a ``(B, F, 1, 1)`` map, because no map operation reads it.
    """

    node: Node
    inputs: tuple[str, ...]
    finished: tuple[str, ...] = ()
    in_place: bool = False
    flat: bool = False


def plan(blueprint: Blueprint) -> tuple[Step, ...]:
    """Return the steps in order: every node except the input and except zeros that only sums read."""
    inputs = {node.name: blueprint.operands(node) for node in blueprint if node.op != "input"}
    users: dict[str, list[Node]] = defaultdict(list)
    for name, sources in inputs.items():
        for source in sources:
            users[source].append(blueprint[name])
    returned = set(blueprint.returned)
    computed = [node for node in blueprint if node.op != "input"]
    nodes = [node for node in computed if node.op != "zeros" or users[node.name] or node.name in returned]
    last_use = {source: node.name for node in nodes for source in inputs[node.name]}
    steps = []
    for node in nodes:
        sources = inputs[node.name]
        # A value that no step reads (in a branch whose end was cut) is dropped as soon as it is computed.
        unread = (node.name,) if node.name not in last_use and node.name not in returned else ()
        last = (s for s in dict.fromkeys(sources) if last_use[s] == node.name and s not in returned)
        finished = (*last, *unread)
        steps.append(Step(node, sources, finished, _in_place(blueprint, node, users), _flat(node, users)))
    return tuple(steps)


def _in_place(blueprint: Blueprint, node: Node, users: dict[str, list[Node]]) -> bool:
    if node.op != "activation" or node.attrs["function"] not in IN_PLACE:
        return False
    source = node.inputs[0]
    return blueprint[source].op in OVERWRITABLE and len(users[source]) == 1 and source not in blueprint.returned


def _flat(node: Node, users: dict[str, list[Node]]) -> bool:
    return all(user.op == "linear" or (user.op in POINTWISE and _flat(user, users)) for user in users[node.name])
