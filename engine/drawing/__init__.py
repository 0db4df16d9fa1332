"""An architecture as a picture of shapes and texts, which `to_svg` turns into a file.

Cells of NAS-Bench-101, NAS-Bench-201, TransNAS-Bench-101 (micro) and DARTS are drawn as graphs above the network in
which they are stacked. Every other network is drawn as a stack of its parts. Differences from another network of the
same space can be marked.
"""

from __future__ import annotations

from engine.drawing.cell import draw_cell
from engine.drawing.graph import draw_cells
from engine.drawing.shapes import MARGIN, WIDTH, Drawing, Sheet, Text
from engine.drawing.stack import compared, draw_stack, merged, operations_in_words, parts_of, with_choices
from engine.drawing.svg import Theme, to_svg
from engine.drawing.vertices import draw_vertices
from engine.space import Architecture, SearchSpace
from engine.spaces.darts import DartsSpace
from engine.spaces.four_tensors import FourTensorSpace
from engine.spaces.nasbench101 import NasBench101Space

__all__ = ["Drawing", "Theme", "draw", "to_svg"]


def draw(space: SearchSpace, architecture: Architecture, against: Architecture | None = None) -> Drawing:
    """Return the picture of an architecture, with marks where it differs from ``against``."""
    sheet = Sheet()
    blueprint = space.blueprint(architecture)
    parts = parts_of(blueprint)
    if isinstance(space, FourTensorSpace | NasBench101Space | DartsSpace):
        if isinstance(space, FourTensorSpace):
            draw_cell(sheet, space, architecture, against)
        elif isinstance(space, NasBench101Space):
            draw_vertices(sheet, space, architecture, against)
        else:
            draw_cells(sheet, space, architecture, against)
        parts = merged(parts)
        sheet.texts.append(Text(MARGIN, sheet.bottom + 12, "The network", "heading"))
        sheet.bottom += 26
    else:
        parts = with_choices(space, architecture, parts)
        if against is not None:
            others = parts_of(space.blueprint(against))
            parts = compared(parts, with_choices(space, against, others))
    draw_stack(sheet, parts, blueprint.input.shape)
    title = space.to_string(architecture)
    said = "; ".join(
        f"{part.name}{' ' + part.choice if part.choice else ''}: {operations_in_words(part)}"
        + (f" (instead of {part.instead_of})" if part.instead_of else "")
        for part in parts
    )
    lists = tuple(sheet.boxes), tuple(sheet.arrows), tuple(sheet.texts)
    return Drawing(WIDTH, sheet.bottom + MARGIN, title, said, *lists)
