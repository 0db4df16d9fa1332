"""The preflight of a search in words, and its sampled costs as the shapes of an SVG (no script, no inline style)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.metrics import title

WIDTH = 320
HEIGHT = 120
BASE = 100
"""Width, height and base of the histogram, in SVG units; the axis is drawn at the base."""


@dataclass(frozen=True)
class Bar:
    """One bin in SVG units. ``inside`` says whether its middle lies in the target range."""

    x: float
    y: float
    width: float
    height: float
    inside: bool
    title: str


@dataclass(frozen=True)
class Histogram:
    """The bars, the ends of the axis, and the x of the limits and of the last layer's bucket edges."""

    bars: Sequence[Bar]
    low: float
    high: float
    limits: Sequence[float]
    edges: Sequence[float]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE

    @classmethod
    def of(cls, found: Mapping[str, Any], lo: float | None, hi: float | None) -> Histogram | None:
        """Return the histogram of a preflight; None if there is nothing to show."""
        histogram = found["histogram"]
        edges = histogram["edges"]
        counts = histogram["counts"]
        if not counts or edges[-1] <= edges[0]:
            return None
        low: float = edges[0]
        high: float = edges[-1]

        def place(value: float) -> float:
            return round((value - low) / (high - low) * WIDTH, 2)

        most = max(counts) or 1
        bars = []
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
            middle = (left + right) / 2
            inside = (lo is None or middle >= lo) and (hi is None or middle <= hi)
            height = round(count / most * (BASE - 8), 2)
            title = f"{left:.4g} to {right:.4g}: {count}"
            bars.append(
                Bar(
                    place(left),
                    BASE - height,
                    round(max(place(right) - place(left) - 1, 0.5), 2),
                    height,
                    inside,
                    title,
                )
            )
        limits = [place(limit) for limit in (lo, hi) if limit is not None and low <= limit <= high]
        buckets = found["bucket_edges"][-1]["edges"] if found["bucket_edges"] else []
        return cls(bars, low, high, limits, [place(edge) for edge in buckets if low <= edge <= high])


def in_words(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preflight's numbers as the panel shows them."""
    share = 100 * found["feasible_share"]
    shown = "under 1 %" if 0 < share < 1 else f"{share:.0f} %"
    return {
        **found,
        "feasible_percent": shown,
        "metric_label": title(found["metric"]),
        "buckets_label": buckets_in_words(found["bucket_edges"]),
        "time_label": time_in_words(found["time"]["eta_seconds"]),
    }


def buckets_in_words(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return how many buckets there are, and how wide those of the last layer are; empty if there are none."""
    if not layers:
        return ""
    edges = layers[-1]["edges"]
    return f"{len(edges) - 1} per layer; those of the last layer are {edges[1] - edges[0]:.3g} wide"


def time_in_words(seconds: float | None) -> str:
    """Return a duration as a person says it; empty if it is unknown."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.2g} {unit}"
    return f"about {max(seconds, 1):.0f} s"
