"""The cell of NAS-Bench-201 and of TransNAS-Bench-101: four tensors, with an operation on every edge."""

from __future__ import annotations

from engine.drawing.shapes import MARGIN, TIMES, WIDTH, Arrow, Box, Point, Sheet, Text
from engine.space import Architecture
from engine.spaces.four_tensors import EDGES, KERNELS, FourTensorSpace

TENSOR, STEP = 34.0, 108.0
LABELS = {
    "nor_conv_3x3": f"conv 3{TIMES}3",
    "nor_conv_1x1": f"conv 1{TIMES}1",
    "avg_pool_3x3": f"pool 3{TIMES}3",
    "skip_connect": "skip",
}
BENDS = {(2, 0): -150.0, (3, 1): 150.0, (3, 0): -256.0}


def draw_cell(sheet: Sheet, space: FourTensorSpace, architecture: Architecture, against: Architecture | None) -> None:
    """Draw the tensors from top to bottom; edges that do not matter are faded, and ``none`` is dashed.

    Edges whose operation differs from that of ``against`` are marked.
    """
    operations = space.operations(architecture)
    others = space.operations(against) if against is not None else operations
    present = [edge for edge in EDGES if operations[edge] != "none"]
    filled = {0}
    read = {3}
    for target, source in present:
        filled |= {target} if source in filled else set()
    for target, source in sorted(present, reverse=True):
        read |= {source} if target in read else set()
    counted = "the cell's multiply-adds"
    if any(halves for _, halves in space.cells()):
        counted += " where it keeps its map"
    squares = sum(KERNELS.get(operations[edge], 0) ** 2 for edge in EDGES) or 1
    sheet.texts.append(Text(MARGIN, sheet.bottom + 12, "The cell", "heading"))
    top = sheet.bottom + 24
    centre = WIDTH / 2 + 30
    for edge in EDGES:
        target, source = edge
        operation = operations[edge]
        start = top + source * STEP + TENSOR
        end = top + target * STEP
        bend = BENDS.get(edge, 0.0)
        side = 0.0 if not bend else (TENSOR / 2 if bend > 0 else -TENSOR / 2)
        points: tuple[Point, ...] = ((centre, start), (centre, end - 2))
        if bend:
            start = start - TENSOR / 2
            end = end + TENSOR / 2
            reach = centre + bend
            points = ((centre + side, start), (reach, start), (reach, end), (centre + side * 1.15, end))
        idle = operation == "none" or source not in filled or target not in read
        sheet.arrows.append(Arrow(points, "none" if operation == "none" else _edge_kind(operation), idle))
        changed = others[edge] != operation
        was = others[edge]
        # In its middle a cubic curve is three quarters of the way to its control points.
        middle = (centre + side + 0.75 * (bend - side) if bend else centre, (start + end) / 2)
        share = KERNELS.get(operation, 0) ** 2 / squares
        hint = f"{operation} from tensor {source} to tensor {target}; {share:.0%} of {counted}"
        hint += "; does not reach the output" if idle else ""
        hint += f"; instead of {was}" if changed else ""
        place = middle[0] - 40, middle[1] - 13, 80.0, 26.0
        if operation != "none":
            label = LABELS[operation]
            sheet.boxes.append(Box(*place, _edge_kind(operation), label, hint, share, idle, changed))
        elif changed:
            sheet.boxes.append(Box(*place, "none", "none", hint, None, False, changed))
    for tensor in range(4):
        names = {0: "input of the cell", 3: "output of the cell"}
        hint = names.get(tensor, f"tensor {tensor}: the sum of its edges")
        idle = tensor not in filled & read
        corner = centre - TENSOR / 2, top + tensor * STEP
        sheet.boxes.append(Box(*corner, TENSOR, TENSOR, "tensor", ("in", "1", "2", "out")[tensor], hint, None, idle))
    sheet.bottom = top + 3 * STEP + TENSOR + 26


def _edge_kind(operation: str) -> str:
    return {"nor_conv_3x3": "conv3", "nor_conv_1x1": "conv1", "avg_pool_3x3": "pool"}.get(operation, "skip")
