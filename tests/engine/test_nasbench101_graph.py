"""NAS-Bench-101's cells as matrices: the benchmark's hash, pruning and channels against published rows."""

from __future__ import annotations

from itertools import permutations

import pytest

from engine.errors import ArchitectureError
from engine.spaces.nasbench101_graph import INPUT, OPERATIONS, OUTPUT, graph_hash, prune, vertex_channels

C3, C1, POOL = OPERATIONS
# The first row of the published table.
FIRST = (
    [
        [0, 1, 0, 0, 1, 1, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    [INPUT, C3, POOL, C3, C3, C1, OUTPUT],
)
FIRST_HASH = "00005c142e6f48ac74fdcf73e3439874"


def inception(order: tuple[int, ...]) -> tuple[list[list[int]], list[str]]:
    """Return the Inception-like cell of the benchmark's own example, with its interior vertices in a given order."""
    edges = [(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)]
    ops = [INPUT, C1, C3, C3, C3, POOL, OUTPUT]
    place = {0: 0, 6: 6, **{v: i for i, v in enumerate(order, start=1)}}
    matrix = [[0] * 7 for _ in range(7)]
    for u, w in edges:
        matrix[place[u]][place[w]] = 1
    return matrix, [next(ops[v] for v in place if place[v] == i) for i in range(7)]


def test_hash_is_the_published_one() -> None:
    assert graph_hash(*FIRST) == FIRST_HASH


def test_hash_is_the_same_for_every_order_of_the_vertices() -> None:
    orders = [order for order in permutations(range(1, 6)) if order.index(3) < order.index(4)]
    assert len(orders) == 60
    assert len({graph_hash(*inception(order)) for order in orders}) == 1
    matrix, ops = inception((1, 2, 3, 4, 5))
    assert graph_hash(matrix, [*ops[:5], C1, OUTPUT]) != graph_hash(matrix, ops)


def test_vertices_off_every_path_are_pruned_before_hashing() -> None:
    matrix = [[0, 1, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    ops = [INPUT, C3, C1, POOL, OUTPUT]
    line = ((0, 1, 0), (0, 0, 1), (0, 0, 0)), (INPUT, C3, OUTPUT)
    assert prune(matrix, ops) == line
    assert graph_hash(matrix, ops) == graph_hash(*line)


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 0], [0, 0]], [INPUT, OUTPUT], "no path"),
        ([[0, 1], [1, 0]], [INPUT, OUTPUT], "above the diagonal"),
        ([[0, 2], [0, 0]], [INPUT, OUTPUT], "0 and 1"),
        ([[0, 1]], [INPUT, OUTPUT], "rows and columns"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [INPUT, "conv5x5", OUTPUT], "operations are"),
    ],
)
def test_what_is_no_cell_is_refused(matrix: list[list[int]], ops: list[str], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        graph_hash(matrix, ops)


@pytest.mark.parametrize(
    ("edges", "size", "given", "expected"),
    [
        ("01 12 23", 4, (16, 8), (16, 8, 8, 8)),
        ("01", 2, (1, 5), (1, 5)),
        ("01 02 13 23 34", 5, (8, 16), (8, 16, 16, 16, 16)),
        ("01 02 13 23", 4, (8, 15), (8, 8, 7, 15)),
        ("01 02 03 14 24 34", 5, (8, 8), (8, 3, 3, 2, 8)),
        ("01 12 13 24 34", 5, (8, 9), (8, 5, 5, 4, 9)),
        ("01 03 12 14 23 34", 5, (8, 15), (8, 8, 7, 7, 15)),
    ],
)
def test_channels_are_divided_as_published(
    edges: str, size: int, given: tuple[int, int], expected: tuple[int, ...]
) -> None:
    pairs = {(int(pair[0]), int(pair[1])) for pair in edges.split()}
    matrix = [[int((u, w) in pairs) for w in range(size)] for u in range(size)]
    assert vertex_channels(matrix, *given) == expected
