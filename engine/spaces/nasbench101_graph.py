"""NAS-Bench-101 cells as matrices: pruning, the benchmark's hash, channels (Ying et al. 2019, arXiv 1902.09635).

A cell is an upper triangular matrix, with ``matrix[u][w] = 1`` for an edge from vertex u to vertex w, and a list of the
vertices' operations: ``input``, interior operations from `OPERATIONS`, ``output``. A cell has at most 7 vertices and 9
edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

from engine.errors import ArchitectureError

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""The operations, in the order in which the benchmark numbers them."""
INPUT, OUTPUT = "input", "output"
MAX_VERTICES, MAX_EDGES = 7, 9

Matrix = tuple[tuple[int, ...], ...]
Rows = Sequence[Sequence[int]]


def prune(matrix: Rows, ops: Sequence[str]) -> tuple[Matrix, tuple[str, ...]]:
    """Return the cell without the vertices that are on no path from input to output.

    Raises ArchitectureError if the matrix is not square and upper triangular, if an operation is unknown, or if there
    is no path.
    """
    size = len(matrix)
    if size < 2 or len(ops) != size or any(len(row) != size for row in matrix):
        raise ArchitectureError(f"a cell of {len(ops)} operations needs a matrix of {len(ops)} rows and columns")
    if ops[0] != INPUT or ops[-1] != OUTPUT or any(op not in OPERATIONS for op in ops[1:-1]):
        raise ArchitectureError(f"operations are '{INPUT}', then any of {', '.join(OPERATIONS)}, then '{OUTPUT}'")
    if any(matrix[u][w] not in (0, 1) or (matrix[u][w] and u >= w) for u in range(size) for w in range(size)):
        raise ArchitectureError("the matrix may hold only 0 and 1, and 1 only above the diagonal: edges lead forward")
    reached = {0}
    leading = {size - 1}
    for w in range(1, size):
        reached |= {w} if any(matrix[u][w] for u in reached if u < w) else set()
    for u in range(size - 2, -1, -1):
        leading |= {u} if any(matrix[u][w] for w in leading if w > u) else set()
    kept = sorted(reached & leading)
    if not kept:
        raise ArchitectureError("no path leads from the cell's input to its output")
    return tuple(tuple(int(matrix[u][w]) for w in kept) for u in kept), tuple(ops[v] for v in kept)


def graph_hash(matrix: Rows, ops: Sequence[str]) -> str:
    """Return the benchmark's 32 hex digits for a cell: equal for isomorphic cells, and the key of its table.

    A vertex's first hash is the MD5 of its out-degree, in-degree and label. In as many rounds as there are vertices,
    each vertex's hash becomes the MD5 of the sorted hashes of its predecessors and successors and its own. The cell's
    hash is the MD5 of all sorted vertex hashes.
    """
    matrix, ops = prune(matrix, ops)
    vertices = range(len(ops))
    labels = [-1, *(OPERATIONS.index(op) for op in ops[1:-1]), -2]
    before = [[u for u in vertices if matrix[u][v]] for v in vertices]
    after = [[w for w in vertices if matrix[v][w]] for v in vertices]
    hashes = [_md5(str((len(after[v]), len(before[v]), labels[v]))) for v in vertices]
    for _ in vertices:
        hashes = [
            _md5("|".join(["".join(sorted(hashes[u] for u in near)) for near in (before[v], after[v])] + [hashes[v]]))
            for v in vertices
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def vertex_channels(matrix: Rows, channels_in: int, channels_out: int) -> tuple[int, ...]:
    """Return the channels of every vertex of a pruned cell.

    The output's channels are divided among the interior vertices that lead to it; the first ones get one more if the
    division leaves a remainder. Every other interior vertex has as many channels as the widest vertex it leads to.
    """
    last = len(matrix) - 1
    channels = [channels_in, *[0] * (last - 1), channels_out]
    joined = [v for v in range(1, last) if matrix[v][last]]
    for place, v in enumerate(joined):
        channels[v] = channels_out // len(joined) + (place < channels_out % len(joined))
    for v in range(last - 1, 0, -1):
        channels[v] = channels[v] or max(channels[w] for w in range(v + 1, last) if matrix[v][w])
    return tuple(channels)
