"""An architecture as a picture: shapes with places and words, which `to_svg` writes down.

A NAS-Bench-201 cell is a graph above the network it is stacked to; every other network is a stack of its parts.
"""

from __future__ import annotations

from engine.drawing.cell import draw_cell
from engine.drawing.shapes import MARGIN, WIDTH, Drawing, Sheet, Text
from engine.drawing.stack import draw_stack, merged, operations_in_words, parts_of, with_choices
from engine.drawing.svg import to_svg
from engine.space import Architecture, SearchSpace
from engine.spaces.nasbench201 import NasBench201Space

__all__ = ["Drawing", "draw", "to_svg"]


def draw(space: SearchSpace, architecture: Architecture) -> Drawing:
    """The picture of one architecture."""
    sheet, blueprint = Sheet(), space.blueprint(architecture)
    parts = parts_of(blueprint)
    if isinstance(space, NasBench201Space):
        draw_cell(sheet, space, architecture)
        parts = merged(parts)
        sheet.texts.append(Text(MARGIN, sheet.bottom + 12, "The network", "heading"))
        sheet.bottom += 26
    else:
        parts = with_choices(space, architecture, parts)
    draw_stack(sheet, parts, blueprint.input.shape)
    title = space.to_string(architecture)
    said = "; ".join(
        f"{part.name}{' ' + part.choice if part.choice else ''}: {operations_in_words(part)}" for part in parts
    )
    lists = tuple(sheet.boxes), tuple(sheet.arrows), tuple(sheet.texts)
    return Drawing(WIDTH, sheet.bottom + MARGIN, title, said, *lists)
