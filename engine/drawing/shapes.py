"""The shapes of drawings; lengths are in CSS pixels, and y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

WIDTH = 460.0
MARGIN = 16.0
TIMES = "\N{MULTIPLICATION SIGN}"
Style = Literal["name", "detail", "value", "heading", "was"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle; ``share`` is its share of the network's multiply-adds, ``hint`` the text shown on hovering.

    A ``changed`` rectangle is marked, because the other network differs there.
    """

    x: float
    y: float
    w: float
    h: float
    kind: str
    label: str = ""
    hint: str = ""
    share: float | None = None
    faded: bool = False
    changed: bool = False


@dataclass(frozen=True)
class Arrow:
    """A line through two points, or a cubic Bezier curve with four points."""

    points: tuple[Point, ...]
    kind: str
    faded: bool = False


@dataclass(frozen=True)
class Text:
    """A text at a point, which is the left or the right end of its baseline."""

    x: float
    y: float
    text: str
    style: Style
    at_end: bool = False


@dataclass(frozen=True)
class Drawing:
    """A whole picture; arrows are drawn below boxes."""

    width: float
    height: float
    title: str
    description: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    texts: tuple[Text, ...]


@dataclass
class Sheet:
    """A drawing that is filled from the top; ``bottom`` is the lowest point so far."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    bottom: float = MARGIN
