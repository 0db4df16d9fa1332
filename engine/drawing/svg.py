"""A drawing as one self-contained SVG, readable on light and dark pages.

Colours are CSS variables that a page may set (``--drawing-ink`` and so on); without a page the file follows the
system's colour scheme. Every shape also has its colour as an attribute, for programs that ignore style sheets.
"""

from __future__ import annotations

from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from engine.drawing.shapes import Arrow, Box, Drawing, Text

Theme = Literal["system", "light", "dark"]
LIGHT = {
    "ink": "#1c2330",
    "soft": "#5a6478",
    "line": "#8a94a8",
    "paper": "#ffffff",
    "track": "#e4e8ef",
    "conv3": "#d6e4ff",
    "conv3-edge": "#2f62d9",
    "conv1": "#d3f1ec",
    "conv1-edge": "#0f8577",
    "pool": "#fdebc8",
    "pool-edge": "#b06f00",
    "skip": "#ece3fb",
    "skip-edge": "#7a4fc9",
    "fixed": "#eceff4",
    "fixed-edge": "#7c879b",
    "head": "#fbdfe6",
    "head-edge": "#c23b62",
    "none": "#f6f7f9",
    "none-edge": "#a9b1c0",
    "tensor": "#ffffff",
    "tensor-edge": "#1c2330",
    "changed": "#c24e00",
}
DARK = {
    "ink": "#e8ecf4",
    "soft": "#a7b1c4",
    "line": "#7d889d",
    "paper": "#161d26",
    "track": "#2a3140",
    "conv3": "#1e3568",
    "conv3-edge": "#7ea6ff",
    "conv1": "#12443e",
    "conv1-edge": "#4fd1bf",
    "pool": "#4a3610",
    "pool-edge": "#f0b84b",
    "skip": "#372a58",
    "skip-edge": "#b79bf2",
    "fixed": "#262d3a",
    "fixed-edge": "#8c97ab",
    "head": "#4c1f2e",
    "head-edge": "#f08aa8",
    "none": "#1c222d",
    "none-edge": "#5d677a",
    "tensor": "#161d26",
    "tensor-edge": "#e8ecf4",
    "changed": "#ff9a52",
}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SIZES = {"heading": 15.0, "name": 13.0, "value": 12.0, "detail": 12.0, "was": 12.0}
INKS = {"detail": "soft", "was": "changed"}
OUTSIDE = 4.0
"""Pixels between a box and the mark around it."""
FILLS = {"share": "conv3-edge", "track": "track", "images": "fixed"}


def to_svg(drawing: Drawing, theme: Theme = "system") -> str:
    """Return the file's text; it has titles and descriptions for screen readers and for hovering.

    ``theme`` is the theme of the page that shows it, or ``system`` to follow the system's colour scheme.
    """
    size = f"{drawing.width:g} {drawing.height:g}"
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {size}",
        "width": f"{drawing.width:g}",
        "height": f"{drawing.height:g}",
        "role": "img",
        "class": "architecture-drawing",
        "font-family": FONT,
    }
    root = Element("svg", attributes)
    SubElement(root, "title").text = drawing.title
    SubElement(root, "desc").text = drawing.description
    SubElement(root, "style").text = _style(theme)
    SubElement(root, "rect", {"width": "100%", "height": "100%", "rx": "8", **_paint("paper", None)})
    for arrow in drawing.arrows:
        _arrow(root, arrow)
    for box in drawing.boxes:
        _box(root, box)
    for text in drawing.texts:
        _text(root, text)
    return tostring(root, encoding="unicode")


def _style(theme: Theme) -> str:
    scope = ".architecture-drawing"
    rules = [f"{scope} {{ max-width: 100%; height: auto; {_variables(DARK if theme == 'dark' else LIGHT)} }}"]
    if theme == "system":
        rules.append(
            f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {scope}, {scope}:root"
            f" {{ {_variables(DARK)} }} }}"
        )
        rules.append(f":root[data-theme=dark] {scope} {{ {_variables(DARK)} }}")
    rules += [
        f"{scope} .f-{name} {{ fill: var(--d-{name}); }} {scope} .s-{name} {{ stroke: var(--d-{name}); }}"
        for name in LIGHT
    ]
    return "\n".join(rules)


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--d-{name}: var(--drawing-{name}, {colour});" for name, colour in colours.items())


def _paint(fill: str | None, stroke: str | None) -> dict[str, str]:
    classes = [f"f-{fill}"] if fill else []
    classes += [f"s-{stroke}"] if stroke else []
    return {
        "fill": LIGHT[fill] if fill else "none",
        "stroke": LIGHT[stroke] if stroke else "none",
        "class": " ".join(classes),
    }


def _arrow(root: Element, arrow: Arrow) -> None:
    colour = "line" if arrow.kind == "flow" else f"{arrow.kind}-edge"
    group = SubElement(root, "g", {"opacity": "0.55"} if arrow.faded else {})
    (x0, y0), *rest = arrow.points
    joined = " ".join(f"{x:g},{y:g}" for x, y in rest)
    path = f"M{x0:g},{y0:g} {'C' if len(rest) == 3 else 'L'}{joined}"
    line = {"d": path, "stroke-width": "1.6" if arrow.kind == "flow" else "2.2", **_paint(None, colour)}
    if arrow.kind == "none":
        SubElement(group, "path", {**line, "stroke-width": "1.4", "stroke-dasharray": "4 5"})
        return
    SubElement(group, "path", line)
    tip_x, tip_y = rest[-1]
    from_x = rest[-2][0] if len(rest) == 3 else x0
    # Arrows end downwards, or sideways if a curve comes in from the left or the right.
    dx, dy = (0.0, 1.0) if from_x == tip_x else ((1.0, 0.0) if from_x < tip_x else (-1.0, 0.0))
    wings = [
        (tip_x - 8 * dx - 4.5 * dy, tip_y - 8 * dy - 4.5 * dx),
        (tip_x - 8 * dx + 4.5 * dy, tip_y - 8 * dy + 4.5 * dx),
    ]
    corners = " ".join(f"{x:g},{y:g}" for x, y in [(tip_x, tip_y), *wings])
    SubElement(group, "polygon", {"points": corners, **_paint(colour, None)})


def _box(root: Element, box: Box) -> None:
    fill = FILLS.get(box.kind, box.kind)
    edge = None if box.kind in ("track", "share") else f"{fill}-edge"
    radius = {"tensor": box.w / 2, "track": box.h / 2, "share": box.h / 2}.get(box.kind, 7.0)
    shape = {"x": box.x, "y": box.y, "width": box.w, "height": box.h, "rx": min(radius, box.w / 2, box.h / 2)}
    geometry = {name: f"{value:g}" for name, value in shape.items()}
    if box.changed:
        _mark(root, box, shape["rx"])
    if box.faded:
        SubElement(root, "rect", geometry | _paint("paper", None))
    group = SubElement(root, "g", {"opacity": "0.5"} if box.faded else {})
    if box.hint:
        SubElement(group, "title").text = box.hint
    attributes = geometry | _paint(fill, edge)
    if edge:
        attributes["stroke-width"] = "1.5"
    if box.kind == "none":
        attributes["stroke-dasharray"] = "4 4"
    SubElement(group, "rect", attributes)
    if box.label:
        place = {"x": f"{box.x + box.w / 2:g}", "y": f"{box.y + box.h / 2 + 4.5:g}", "text-anchor": "middle"}
        style = {"font-size": "12.5", "font-weight": "600", **_paint("ink", None)}
        SubElement(group, "text", place | style).text = box.label


def _mark(root: Element, box: Box, radius: float) -> None:
    """Add a dashed frame and a dot at the corner of a changed box, so that the mark does not depend on colour alone."""
    place = {"x": box.x - OUTSIDE, "y": box.y - OUTSIDE, "width": box.w + 2 * OUTSIDE, "height": box.h + 2 * OUTSIDE}
    frame = {name: f"{value:g}" for name, value in {**place, "rx": radius + OUTSIDE}.items()}
    SubElement(root, "rect", frame | {"stroke-width": "2", "stroke-dasharray": "5 3"} | _paint(None, "changed"))
    corner = {"cx": f"{box.x + box.w + OUTSIDE:g}", "cy": f"{box.y - OUTSIDE:g}", "r": "4.5"}
    SubElement(root, "circle", corner | _paint("changed", "paper"))


def _text(root: Element, text: Text) -> None:
    attributes = {"x": f"{text.x:g}", "y": f"{text.y:g}", "font-size": f"{SIZES[text.style]:g}"}
    attributes |= _paint(INKS.get(text.style, "ink"), None)
    if text.style in ("name", "heading", "was"):
        attributes["font-weight"] = "600"
    if text.at_end:
        attributes["text-anchor"] = "end"
    SubElement(root, "text", attributes).text = text.text
