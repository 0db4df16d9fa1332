"""Curves as in LayerNAS's Figures 3 to 7: what a search would report after spending an amount, mean over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 300
FORMATS = ("svg", "png")
Trajectory = Sequence[tuple[float, float]]
"""Steps of one search: the amount spent so far, and the value of its incumbent from then on."""


def values_at(trajectory: Trajectory, spent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the incumbent's value at each amount of ``spent``, shape ``(points,)``; NaN before the first incumbent."""
    at = np.array([step[0] for step in trajectory])
    values = np.array([step[1] for step in trajectory])
    place = np.searchsorted(at, spent, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def draw(
    folder: Path,
    name: str,
    trajectories: Mapping[str, Sequence[Trajectory]],
    *,
    title: str,
    x: str,
    y: str,
    log: bool = True,
) -> list[Path]:
    """Write ``name`` in `FORMATS`: a line per search, the mean over its seeds with the standard error as a band.

    A line begins where every seed has an incumbent. The value axis begins at the median of the searches' means after a
    tenth of their spending.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    last = max(step[0] for several in trajectories.values() for trajectory in several for step in trajectory)
    first = min(trajectory[0][0] for several in trajectories.values() for trajectory in several)
    spent = np.geomspace(max(first, last / 200), last, POINTS) if log else np.linspace(0.0, last, POINTS)
    tenth = [_line(axes, label, several, spent) for label, several in trajectories.items()]
    low = float(np.nanmedian(tenth))
    high = max(step[1] for many in trajectories.values() for c in many for step in c)
    if high > low:
        axes.set_ylim(low - 0.25 * (high - low), high + 0.05 * (high - low))
    axes.set(title=title, xlabel=x, ylabel=y, xscale="log" if log else "linear")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for kind in FORMATS]
    for path in paths:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=150)
    return paths


def _line(axes: Axes, label: str, trajectories: Sequence[Trajectory], spent: NDArray[np.float64]) -> float:
    """Draw one search and return its mean after a tenth of the spending."""
    values = np.array([values_at(trajectory, spent) for trajectory in trajectories])
    mean = values.mean(axis=0)
    error = values.std(axis=0) / np.sqrt(len(values))
    (line,) = axes.plot(spent, mean, label=label, linewidth=1.8)
    axes.fill_between(spent, mean - error, mean + error, color=line.get_color(), alpha=0.2, linewidth=0)
    return float(mean[np.searchsorted(spent, spent[-1] / 10)])
