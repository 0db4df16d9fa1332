"""A network as a stack of its parts.

The width of a box is proportional to its channels, or to their square root if a few parts are much wider than the rest.
Beside the box are its operations, the output's channels, height and width, and its share of the network's
multiply-adds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from engine.blueprint import Blueprint, Node, Shape
from engine.cost import node_cost
from engine.drawing.shapes import MARGIN, TIMES, WIDTH, Arrow, Box, Point, Sheet, Text
from engine.space import Architecture, SearchSpace

ROW, GAP, WIDEST = 38.0, 18.0, 100.0
TEXT_LEFT = MARGIN + WIDEST + 16.0
UNEVEN = 6
"""If the widest part is more than this many times as wide as the median, widths follow the square root of channels."""
REPEATED = re.compile(r"^(.*) cell \d+$")


@dataclass(frozen=True)
class Part:
    """Consecutive nodes of one group, with the choice that added them; ``times`` equal parts follow each other."""

    name: str
    nodes: tuple[Node, ...]
    source: Shape
    result: Shape
    madds: int
    choice: str = ""
    times: int = 1
    instead_of: str = ""
    """The choice or result of the other network in this place; empty if it is the same."""


def parts_of(blueprint: Blueprint) -> list[Part]:
    """Return the parts of a network, cut where the group changes."""
    parts = []
    shape = blueprint.input.shape
    for group, members in groupby((node for node in blueprint if node.op != "input"), key=lambda node: node.group):
        nodes = tuple(members)
        madds = sum(node_cost(node, (blueprint[name].shape for name in node.inputs)).madds for node in nodes)
        parts.append(Part(group, nodes, shape, nodes[-1].shape, madds))
        shape = nodes[-1].shape
    return parts


def with_choices(space: SearchSpace, architecture: Architecture, parts: Sequence[Part]) -> list[Part]:
    """Return every part with its choice; layers that added no nodes become parts at their place in the order."""
    labels = space.labels(architecture)
    names = space.layer_names
    result: list[Part] = []
    waiting = list(range(space.depth))
    for part in parts:
        layers = [node.layer for node in part.nodes if node.layer is not None]
        if layers:
            while waiting and waiting[0] < layers[0]:
                layer = waiting.pop(0)
                result.append(Part(names[layer], (), part.source, part.source, 0, labels[layer]))
            waiting = [layer for layer in waiting if layer not in layers]
            part = replace(part, choice=labels[layers[0]])
        elif part.name == "head":
            result += [Part(names[layer], (), part.source, part.source, 0, labels[layer]) for layer in waiting]
            waiting = []
        result.append(part)
    return result


def merged(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, with consecutive cells of one stage merged into one part."""

    def stage(part: Part) -> str:
        found = REPEATED.match(part.name)
        return found[1] if found else part.name

    runs = []
    for name, members in groupby(parts, key=stage):
        run = list(members)
        madds = sum(part.madds for part in run)
        runs.append(replace(run[0], name=name, result=run[-1].result, madds=madds, times=len(run)))
    return runs


def compared(parts: Sequence[Part], others: Sequence[Part]) -> list[Part]:
    """Return the parts, with marks on those that the other network does not have.

    Parts are compared by their choices, or by their results if nothing was chosen.
    """
    known = {(part.name, bool(part.choice)): part for part in others}
    marked = []
    for part in parts:
        other = known.get((part.name, bool(part.choice)))
        was = ""
        if other is None:
            was = "nothing"
        elif other.choice != part.choice:
            was = other.choice
        elif other.result != part.result and not part.choice:
            was = shape_in_words(other.result)
        marked.append(replace(part, instead_of=was))
    return marked


def shape_in_words(shape: Shape) -> str:
    """Return channels, height and width as text."""
    return f"{shape.channels} {TIMES} {shape.height} {TIMES} {shape.width}"


def draw_stack(sheet: Sheet, parts: Sequence[Part], images: Shape) -> None:
    """Draw the parts from top to bottom, beginning with the images."""
    total = sum(part.madds for part in parts) or 1
    channels = sorted(part.result.channels for part in parts)
    widest = channels[-1]
    power = 0.5 if widest > UNEVEN * channels[len(channels) // 2] else 1.0
    rows = [Part("images", (), images, images, 0), *parts]
    for index, part in enumerate(rows):
        top = sheet.bottom + index * (ROW + GAP)
        if index:
            sheet.arrows.append(Arrow((_middle(top - GAP), _middle(top - 2)), "flow"))
        _row(sheet, part, top, min(1.0, part.result.channels / widest) ** power, total)
    sheet.bottom += len(rows) * (ROW + GAP) - GAP


def _row(sheet: Sheet, part: Part, top: float, breadth: float, total: int) -> None:
    channels = part.result.channels
    share = part.madds / total
    width = max(4.0, WIDEST * breadth)
    name = f"{part.name}: {part.choice}" if part.choice else part.name
    name = f"{name}, {part.times} cells" if part.times > 1 else name
    shape = shape_in_words(part.result)
    hint = f"{name}: {operations_in_words(part)}; output {shape}; {_percent(share)} of the multiply-adds"
    hint += f"; instead of {part.instead_of}" if part.instead_of else ""
    label = str(channels) if width >= 26 else ""
    box = Box(
        _middle(top)[0] - width / 2, top, width, ROW, _kind(part), label, hint, share, changed=bool(part.instead_of)
    )
    sheet.boxes.append(box)
    right = WIDTH - MARGIN
    sheet.texts += [
        Text(TEXT_LEFT, top + 15, _short(name, 44 - len(shape)), "name"),
        Text(right, top + 15, shape, "value", at_end=True),
    ]
    if part.instead_of:
        sheet.texts.append(Text(TEXT_LEFT, top + 31, _short(f"instead of {part.instead_of}", 40), "was"))
    elif part.nodes or part.choice:
        sheet.texts.append(Text(TEXT_LEFT, top + 31, _short(operations_in_words(part), 40), "detail"))
    if part.nodes:
        sheet.texts.append(Text(right, top + 31, _percent(share), "detail", at_end=True))
        sheet.boxes += [
            Box(TEXT_LEFT, top + ROW - 1, right - TEXT_LEFT, 3, "track"),
            Box(TEXT_LEFT, top + ROW - 1, (right - TEXT_LEFT) * share, 3, "share"),
        ]


def _percent(share: float) -> str:
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _middle(y: float) -> Point:
    return MARGIN + WIDEST / 2, y


def _kind(part: Part) -> str:
    ops = {node.op for node in part.nodes}
    if not ops:
        return "none" if part.choice else "images"
    if all(node.layer is None for node in part.nodes):
        return "head" if "linear" in ops else "fixed"
    if "conv2d" in ops:
        return "conv1" if any(_depthwise(node) for node in part.nodes) else "conv3"
    return "pool" if ops & {"max_pool", "avg_pool"} else "skip"


def operations_in_words(part: Part) -> str:
    """Describe the operations of a part (of one cell if cells repeat); equal operations are counted."""
    if not part.nodes:
        return "adds no operation"
    gated = any(node.op == "multiply" for node in part.nodes)
    # The gate is named; the operations that compute it, from the global pool on, are not.
    computing: set[str] = set()
    for node in part.nodes:
        behind = bool(node.inputs) and computing.issuperset(node.inputs)
        if gated and (node.op == "global_avg_pool" or behind):
            computing.add(node.name)
    shown = [node for node in part.nodes if node.name not in computing]
    counted = Counter(text for node in shown if (text := _operation(node)))
    words = [text if count == 1 else f"{count} {text}" for text, count in counted.items()]
    inner = {node.shape.channels for node in part.nodes if _depthwise(node) and node.layer is not None}
    # An expansion is the pair of 1x1 convolutions before and after; blocks of several widths have several.
    if len(inner) == 1 and max(inner) > part.source.channels:
        words = [word for word in words if not word.endswith(f"conv 1{TIMES}1")]
        words.insert(0, f"expand {TIMES}{max(inner) / part.source.channels:.3g}")
    return ", ".join(words) or "identity"


def _operation(node: Node) -> str:
    match node.op:
        case "conv2d":
            return f"{'depthwise' if _depthwise(node) else 'conv'} {_window(node)}"
        case "max_pool" | "avg_pool":
            return f"{node.op[:3]} pool {_window(node)}"
        case "global_avg_pool":
            return "global avg pool"
        case "multiply":
            return "gate"
        case "linear":
            return f"linear {node.shape.channels}"
        case "concat":
            return "concatenation"
    return ""


def _depthwise(node: Node) -> bool:
    return node.op == "conv2d" and node.integer("groups") > 1


def _window(node: Node) -> str:
    kernel, stride = node.integer("kernel"), node.integer("stride")
    dilated = " dilated" if node.attrs.get("dilation", 1) != 1 else ""
    return f"{kernel}{TIMES}{kernel}{dilated}" + (f" /{stride}" if stride > 1 else "")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip(" ,") + "…"
