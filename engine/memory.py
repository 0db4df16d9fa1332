"""The peak memory of one inference: the largest sum of maps that must be held at once.

The count is from a network's blueprint, for a batch of one image, in values of float32 (4 bytes each). Weights, the
workspace inside an operation and a framework's own overhead are not counted. The rules:

- Nodes are computed in the blueprint's order. Zeros that only sums read are not computed, as in the built network.
- The image is a map like any other. A map is held from when it is computed until the last node that reads it has been
  computed; a returned map is held to the end. A map that nothing reads is dropped as soon as it is there.
- Element-wise operations work in place when they can. Batch norm, activations and dropout write into their input, sums
  and products into their first operand of the result's shape, if no later node reads that map and it is not returned.
- Every other operation (convolution, pool, concatenation, truncation, shift, zeros, linear) writes a new map while all
  of its inputs are held. So does an element-wise operation without an input that it may overwrite.

The peak is the largest sum of held maps over all nodes, inputs and result included.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain

from engine.blueprint import Blueprint

IN_PLACE = frozenset({"batch_norm", "activation", "dropout", "add", "multiply"})


def peak(blueprint: Blueprint) -> int:
    """Return the largest number of values that are held at once while the network computes one image."""
    inputs = {node.name: blueprint.operands(node) for node in blueprint}
    returned = blueprint.returned
    read = {*returned, *chain.from_iterable(inputs.values())}
    computed = [node for node in blueprint if node.op != "zeros" or node.name in read]
    readers = Counter(chain(returned, *(inputs[node.name] for node in computed)))
    sizes: dict[str, int] = {}
    held = 0
    most = 0
    for node in computed:
        name = node.name
        size = sizes[name] = node.shape.elements
        sources = inputs[name]
        for source in sources:
            readers[source] -= 1
        finished = {source for source in sources if not readers[source]}
        if node.op in IN_PLACE:
            overwritten = next((source for source in sources if source in finished and sizes[source] == size), None)
            if overwritten is not None:
                finished.remove(overwritten)
                held -= size
        held += size
        most = max(most, held)
        held -= sum(sizes[source] for source in finished)
        if not readers[name]:
            held -= size
    return most
