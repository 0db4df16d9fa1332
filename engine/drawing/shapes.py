"""What drawings consist of; lengths in CSS pixels, y downwards."""

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
    """A rectangle; ``share`` is its part of the network's multiply-adds, ``hint`` what hovering says.

    ``changed`` ones are marked: the network that this one is compared with has something else there.
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
    """A line through two points, or a cubic Bezier curve of four."""

    points: tuple[Point, ...]
    kind: str
    faded: bool = False


@dataclass(frozen=True)
class Text:
    """Words at a place: their baseline's left end, or its right end."""

    x: float
    y: float
    text: str
    style: Style
    at_end: bool = False


@dataclass(frozen=True)
class Drawing:
    """A whole picture; arrows lie below boxes."""

    width: float
    height: float
    title: str
    description: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    texts: tuple[Text, ...]


@dataclass
class Sheet:
    """A drawing being filled from the top; ``bottom`` is how far it reaches."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    bottom: float = MARGIN
