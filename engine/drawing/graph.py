"""The cells of DARTS: tensors from top to bottom, every edge as an arc, and beside each node its operations."""

from __future__ import annotations

from engine.drawing.shapes import MARGIN, TIMES, Arrow, Box, Sheet, Text
from engine.space import Architecture
from engine.spaces.darts import CELLS, DartsSpace
from engine.spaces.darts_cell import NODES, Pair

ROW, TENSOR = 46.0, 30.0
CENTRE = 124.0
"""The horizontal position of the tensors; arcs bend to its left."""
CHIP, GAP = 136.0, 13.0
TITLES = {"normal": "The normal cell", "reduce": "The reduction cell"}
WORDS = {"sep": "sep. conv", "dil": "dil. conv", "max": "max pool", "avg": "avg pool"}
KINDS = {"sep": "conv3", "dil": "conv1", "max": "pool", "avg": "pool"}


def draw_cells(sheet: Sheet, space: DartsSpace, architecture: Architecture, against: Architecture | None) -> None:
    """Draw both cells; operations that ``against`` does not have are marked."""
    for cell, name in enumerate(CELLS):
        pairs = space.pairs(architecture, cell)
        others = space.pairs(against, cell) if against is not None else pairs
        sheet.texts.append(Text(MARGIN, sheet.bottom + 12, TITLES[name], "heading"))
        sheet.bottom += 24
        _draw(sheet, pairs, others)


def _draw(sheet: Sheet, pairs: tuple[Pair, ...], others: tuple[Pair, ...]) -> None:
    top = sheet.bottom
    names = ["in 1", "in 2", *(str(node + 1) for node in range(NODES))]
    used = {source for _, source in pairs}
    for node in range(NODES):
        target = node + 2
        own = pairs[2 * node : 2 * node + 2]
        other = list(others[2 * node : 2 * node + 2])
        left = [pair for pair in other if pair not in own]
        for place, (operation, source) in enumerate(own):
            kind = _kind(operation)
            _arc(sheet, top, source, target, kind, place)
            changed = (operation, source) not in other
            was = left.pop(0) if changed and left else None
            _chip(sheet, top, target, place, (operation, names[source]), kind, was and (was[0], names[was[1]]), changed)
    for tensor, name in enumerate(names):
        idle = tensor < 2 and tensor not in used
        hint = f"input {tensor + 1} of the cell" if tensor < 2 else f"node {name}: the sum of its two operations"
        y = top + tensor * ROW
        sheet.boxes.append(
            Box(CENTRE - TENSOR / 2, y, TENSOR, TENSOR, "tensor", name.replace(" ", ""), hint, None, idle)
        )
    text = "The cell's output is the concatenation of its four nodes."
    sheet.texts.append(Text(CENTRE + 26, top + 1.5 * ROW - 14, text, "detail"))
    sheet.bottom = top + len(names) * ROW + 4


def _arc(sheet: Sheet, top: float, source: int, target: int, kind: str, place: int) -> None:
    start = top + source * ROW + TENSOR / 2
    end = top + target * ROW + TENSOR / 2 + (-5, 5)[place]
    reach = CENTRE - TENSOR / 2 - 12 - 22 * (target - source)
    edge = CENTRE - TENSOR / 2
    sheet.arrows.append(Arrow(((edge, start), (max(reach, 4.0), start), (max(reach, 4.0), end), (edge - 1, end)), kind))


def _chip(
    sheet: Sheet,
    top: float,
    target: int,
    place: int,
    own: tuple[str, str],
    kind: str,
    was: tuple[str, str] | None,
    changed: bool,
) -> None:
    operation, source = own
    x = CENTRE + 26 + place * (CHIP + GAP)
    label = f"{_words(operation)}, {source}"
    hint = f"{operation} of {source}" + (f"; instead of {was[0]} of {was[1]}" if was else "")
    sheet.boxes.append(Box(x, top + target * ROW + 2, CHIP, 26, kind, label, hint, changed=changed))


def _words(operation: str) -> str:
    first, *_, last = operation.split("_")
    return f"{WORDS[first]} {last[0]}{TIMES}{last[-1]}" if first in WORDS else "skip"


def _kind(operation: str) -> str:
    return KINDS.get(operation.split("_")[0], "skip")
