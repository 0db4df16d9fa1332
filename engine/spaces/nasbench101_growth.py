"""Growth of NAS-Bench-101 cells, one edge at a time; each cell can be grown in only one way.

LayerNAS (appendix B) adds one edge per layer: the edge either includes a new operation or connects two existing ones,
so that every intermediate cell is connected. Here a cell begins as the single edge from input to output, and an edit

- *splits* an edge u -> w by a new vertex (u -> new -> w), or
- *connects* two vertices that have no edge, forwards.

Both edits add one edge and keep every vertex on a path from input to output. Every such graph can be reached: unless it
is the single edge, an edge can be removed, or a vertex with one predecessor and one successor can be replaced by an
edge.

Edits in different orders can lead to the same graph. To make each graph exactly one architecture, every graph has *one*
parent (canonical augmentation, McKay 1998), which its last edit defines. Of all edits that could have been the last,
the last edit is the smallest in this order: connecting edge, max-pool, 1x1 convolution, 3x3 convolution. Ties go to the
edit whose removal leaves the graph with the least `fingerprint`. The children of a graph are the edits that are the
last edit of the graph they make; isomorphic results are listed once. Counted over all nine edges these are the
benchmark's 423,624 cells, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from engine.errors import ArchitectureError
from engine.spaces.nasbench101_graph import INPUT, MAX_EDGES, MAX_VERTICES, OPERATIONS, OUTPUT, Matrix, Rows, prune

LETTERS = ("in", "out", "a", "b", "c", "d", "e")
"""Names of the vertices: the input, the output, and the others in the order in which they were added."""
SHORT = tuple(operation.partition("-")[0] for operation in OPERATIONS)
COLOURS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0xD6E8FEB86659FD93)
"""Initial colours of the input, the output, and the operations."""
MASK = (1 << 64) - 1
OWN, BEFORE, AFTER = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3
"""Weights of a vertex's own colour and of its predecessors' and successors'."""
ROUNDS = 5
ANY = -1
"""The value of ``last`` that allows every kind of last edit."""


class Edit(NamedTuple):
    """A split of the edge u -> w by an operation (its index in `OPERATIONS`), or without one a new edge u -> w."""

    operation: int | None
    u: int
    w: int

    @property
    def label(self) -> str:
        """The edit as a label, such as ``conv3x3_in_a`` or ``edge_a_out``."""
        kind = "edge" if self.operation is None else SHORT[self.operation]
        return f"{kind}_{LETTERS[self.u]}_{LETTERS[self.w]}"


class Graph(NamedTuple):
    """A cell: operations of the vertices from 2 on, and for every vertex a bit mask of its successors.

    Vertex 0 is the input, 1 the output.
    """

    operations: tuple[int, ...] = ()
    out: tuple[int, ...] = (0b10, 0)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """All edges as pairs of vertices."""
        return [(u, w) for u, mask in enumerate(self.out) for w in range(len(self.out)) if mask >> w & 1]

    def edited(self, edit: Edit) -> Graph | None:
        """Return the graph after an edit, or None if the edit does not fit."""
        operation, u, w = edit
        size = len(self.out)
        if max(u, w) >= size or sum(mask.bit_count() for mask in self.out) >= MAX_EDGES:
            return None
        out = list(self.out)
        if operation is None:
            if w == 0 or u == 1 or out[u] >> w & 1 or self._leads(w, u):
                return None
            out[u] |= 1 << w
            return Graph(self.operations, tuple(out))
        if size >= MAX_VERTICES or not out[u] >> w & 1:
            return None
        out[u] ^= 1 << w | 1 << size
        return Graph((*self.operations, operation), (*out, 1 << w))

    def _leads(self, u: int, w: int) -> bool:
        """Return whether a path leads from u to w, or u is w."""
        reached = 0
        new = 1 << u
        while new:
            reached |= new
            after = 0
            for v, mask in enumerate(self.out):
                if new >> v & 1:
                    after |= mask
            new = after & ~reached
        return bool(reached >> w & 1)

    def order(self) -> list[int]:
        """Return the vertices sorted so that edges lead forward; if several can come next, the oldest is first."""
        waiting = [0, *range(2, len(self.out))]
        ordered: list[int] = []
        while waiting:
            ready = next(v for v in waiting if not any(self.out[u] >> v & 1 for u in waiting))
            waiting.remove(ready)
            ordered.append(ready)
        return [*ordered, 1]

    def matrix(self) -> tuple[Matrix, tuple[str, ...]]:
        """Return the cell as the benchmark writes it: matrix and operations."""
        order = self.order()
        rows = tuple(tuple(self.out[u] >> w & 1 for w in order) for u in order)
        return rows, (INPUT, *(OPERATIONS[self.operations[v - 2]] for v in order[1:-1]), OUTPUT)


class Child(NamedTuple):
    """An edit, and the graph that it makes and of which it is the last edit."""

    edit: Edit
    graph: Graph
    fingerprint: int


def graph_of(matrix: Rows, ops: Sequence[str]) -> Graph:
    """Return the pruned graph of a cell as the benchmark writes it.

    Raises ArchitectureError if the matrix is not a cell or is too large.
    """
    matrix, ops = prune(matrix, ops)
    last = len(ops) - 1
    edges = sum(map(sum, matrix))
    if last >= MAX_VERTICES or edges > MAX_EDGES:
        raise ArchitectureError(
            f"'{last + 1} vertices and {edges} edges' are too many: a cell has at most {MAX_VERTICES} vertices and "
            f"{MAX_EDGES} edges"
        )
    places = [0, *range(2, last + 1), 1]
    masks = {places[u]: sum(1 << places[w] for w, edge in enumerate(row) if edge) for u, row in enumerate(matrix)}
    return Graph(tuple(OPERATIONS.index(op) for op in ops[1:-1]), tuple(masks[v] for v in range(last + 1)))


@lru_cache(maxsize=100_000)
def fingerprint(graph: Graph) -> int:
    """Return 64 bits that are equal for isomorphic graphs and different for all other graphs of this space.

    The bits come from colours of the vertices, refined by the colours of their neighbours (Weisfeiler-Lehman). Plain
    arithmetic makes them the same in every process.
    """
    edges = graph.edges
    size = len(graph.out)
    colours = [COLOURS[0], COLOURS[1], *(COLOURS[2 + operation] for operation in graph.operations)]
    for _ in range(ROUNDS):
        sums = [colour * OWN for colour in colours]
        for u, w in edges:
            sums[w] += colours[u] * BEFORE
            sums[u] += colours[w] * AFTER
        for v in range(size):
            # The finaliser of splitmix64 spreads the sum over all bits.
            value = sums[v] & MASK
            value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
            value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
            colours[v] = value ^ value >> 31
    return sum(colours) & MASK


@lru_cache(maxsize=20_000)
def children(graph: Graph) -> tuple[Child, ...]:
    """Return the graph's children: splits with the costliest operation first, then connecting edges."""
    mine = fingerprint(graph)
    found: dict[int, Child] = {}
    for edit, grown in _grown(graph):
        rests = _rests(grown, edit.operation)
        if rests:
            key = fingerprint(grown)
            if key not in found and min(map(fingerprint, rests)) == mine:
                found[key] = Child(edit, grown, key)
    return tuple(found.values())


def path(graph: Graph) -> tuple[int, ...]:
    """Return the indexes in `children` that lead from the single edge to a graph isomorphic to this one."""
    lineage = [fingerprint(graph)]
    while len(graph.out) > 2:
        graph = min(_rests(graph), key=fingerprint)
        lineage.append(fingerprint(graph))
    places: list[int] = []
    here = Graph()
    for wanted in reversed(lineage[:-1]):
        born = children(here)
        places.append(next(i for i, child in enumerate(born) if child.fingerprint == wanted))
        here = born[places[-1]].graph
    return tuple(places)


def random_graph(rng: Random) -> Graph:
    """Return a cell drawn as in the benchmark's own example.

    Random matrices of 7 vertices with random operations are drawn until one is valid.
    """
    while True:
        bits = iter(f"{rng.getrandbits(21):021b}")
        matrix = [[int(next(bits)) if w > u else 0 for w in range(MAX_VERTICES)] for u in range(MAX_VERTICES)]
        ops = [INPUT, *rng.choices(OPERATIONS, k=MAX_VERTICES - 2), OUTPUT]
        try:
            return graph_of(matrix, ops)
        except ArchitectureError:
            continue


def _grown(graph: Graph) -> Iterator[tuple[Edit, Graph]]:
    """Yield every edit that fits, with the graph that it makes."""
    edges = graph.edges
    vertices = range(len(graph.out))
    edits = [Edit(operation, u, w) for operation in range(len(OPERATIONS)) for u, w in edges]
    edits += [Edit(None, u, w) for u in vertices if u != 1 for w in vertices if w]
    for edit in edits:
        if (grown := graph.edited(edit)) is not None:
            yield edit, grown


def _rests(graph: Graph, last: int | None = ANY) -> list[Graph]:
    """Return the graphs that remain without the smallest edit that may have been the last, one for each such edit.

    The list is empty if that edit is not of the kind ``last``: None for a connecting edge, an operation for a split.
    """
    edges = graph.edges
    entering = [0] * len(graph.out)
    for _, w in edges:
        entering[w] += 1
    spare = [(u, w) for u, w in edges if entering[w] > 1 and graph.out[u].bit_count() > 1]
    if spare:
        return [_without(graph, u, w) for u, w in spare] if last in (None, ANY) else []
    closable = [
        (graph.operations[x - 2], x)
        for x in range(2, len(graph.out))
        if entering[x] == 1 and graph.out[x].bit_count() == 1 and not _before(graph, x) & graph.out[x]
    ]
    slightest = max(operation for operation, _ in closable)
    return (
        [_closed(graph, x) for operation, x in closable if operation == slightest] if last in (slightest, ANY) else []
    )


def _without(graph: Graph, u: int, w: int) -> Graph:
    """Return the graph without an edge."""
    out = list(graph.out)
    out[u] ^= 1 << w
    return Graph(graph.operations, tuple(out))


def _before(graph: Graph, x: int) -> int:
    """Return the bit mask of the successors of a vertex's only predecessor."""
    return next(mask for mask in graph.out if mask >> x & 1)


def _closed(graph: Graph, x: int) -> Graph:
    """Return the graph with a vertex of one predecessor and one successor replaced by an edge between these two."""
    after = graph.out[x]
    low = (1 << x) - 1
    joined = [mask ^ 1 << x | after if mask >> x & 1 else mask for v, mask in enumerate(graph.out) if v != x]
    out = tuple((mask & low) | (mask >> 1 & ~low) for mask in joined)
    return Graph(graph.operations[: x - 2] + graph.operations[x - 1 :], out)
