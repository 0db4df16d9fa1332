"""The cell of NAS-Bench-101: a column of operations, with straight edges between neighbours and arcs for the rest."""

from __future__ import annotations

from collections.abc import Sequence

from engine.drawing.shapes import MARGIN, TIMES, WIDTH, Arrow, Box, Point, Sheet, Text
from engine.space import Architecture
from engine.spaces.nasbench101 import NasBench101Space
from engine.spaces.nasbench101_graph import INPUT, OUTPUT, Matrix

BOX_WIDTH, BOX_HEIGHT, STEP = 104.0, 28.0, 62.0
BEND, BEND_STEP = 44.0, 26.0
LABELS = {
    INPUT: "in",
    OUTPUT: "out",
    "conv3x3-bn-relu": f"conv 3{TIMES}3",
    "conv1x1-bn-relu": f"conv 1{TIMES}1",
    "maxpool3x3": f"max pool 3{TIMES}3",
}
KINDS = {
    INPUT: "images",
    OUTPUT: "images",
    "conv3x3-bn-relu": "conv3",
    "conv1x1-bn-relu": "conv1",
    "maxpool3x3": "pool",
}


def draw_vertices(
    sheet: Sheet, space: NasBench101Space, architecture: Architecture, against: Architecture | None = None
) -> None:
    """Draw input, operations and output from top to bottom; arcs alternate between both sides, long ones farther out.

    Vertices whose operation or inputs differ from those of ``against`` are marked.
    """
    matrix, ops = space.matrix(architecture)
    last = len(ops) - 1
    reading = _reading(matrix, ops)
    others = reading if against is None else _reading(*space.matrix(against))
    sheet.texts.append(Text(MARGIN, sheet.bottom + 12, "The cell", "heading"))
    top = sheet.bottom + 26
    centre = WIDTH / 2
    edges = [(u, w) for u in range(last) for w in range(u + 1, last + 1) if matrix[u][w]]
    arcs = sorted((edge for edge in edges if edge[1] - edge[0] > 1), key=lambda edge: (edge[1] - edge[0], edge))
    for edge in edges:
        start = top + edge[0] * STEP + BOX_HEIGHT
        end = top + edge[1] * STEP
        if edge not in arcs:
            sheet.arrows.append(Arrow(((centre, start), (centre, end - 2)), "flow"))
            continue
        number = arcs.index(edge)
        side = 1 if number % 2 else -1
        edge_x = centre + side * BOX_WIDTH / 2
        reach = edge_x + side * (BEND + BEND_STEP * (number // 2) + 12 * (edge[1] - edge[0]))
        reach = min(max(reach, MARGIN), WIDTH - MARGIN)
        # Arcs leave a box below its middle and enter above it, so that a box's incoming and outgoing arcs stay apart.
        leave = start - BOX_HEIGHT / 2 + 5
        enter = end + BOX_HEIGHT / 2 - 5
        points: tuple[Point, ...] = ((edge_x, leave), (reach, leave), (reach, enter), (edge_x + 2 * side, enter))
        sheet.arrows.append(Arrow(points, "flow"))
    for vertex, operation in enumerate(ops):
        read = _words(reading[vertex][1])
        if operation == INPUT:
            hint = "input of the cell"
        elif operation == OUTPUT:
            hint = f"output of the cell, from {read}"
        else:
            hint = f"vertex {vertex}: {operation} of {read}"
        changed = vertex >= len(others) or reading[vertex] != others[vertex]
        if changed:
            instead = others[vertex] if vertex < len(others) else ("nothing", [])
            hint += f"; instead of {instead[0]} of {_words(instead[1])}" if instead[1] else "; instead of nothing"
        place = centre - BOX_WIDTH / 2, top + vertex * STEP
        sheet.boxes.append(
            Box(*place, BOX_WIDTH, BOX_HEIGHT, KINDS[operation], LABELS[operation], hint, changed=changed)
        )
    sheet.bottom = top + last * STEP + BOX_HEIGHT + 26


def _reading(matrix: Matrix, ops: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return every vertex's operation and the vertices that it reads."""
    return [(op, [u for u in range(vertex) if matrix[u][vertex]]) for vertex, op in enumerate(ops)]


def _words(sources: Sequence[int]) -> str:
    return " and ".join("the input" if u == 0 else f"vertex {u}" for u in sources)
