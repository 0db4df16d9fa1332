"""The common form of all figures: the measured value, its unit, its goal, and the value it is compared with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figure:
    """One measured number; ``anchor`` is a published figure or our own baseline, and ``anchor_source`` names it."""

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    goal: float | None = None
    anchor: float | None = None
    anchor_source: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the figure for JSON, without the fields that are None."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Report:
    """The results of a benchmark, or the reason why it did not run."""

    settings: Mapping[str, Any]
    figures: Sequence[Figure] = field(default_factory=tuple)
    skipped: str | None = None

    def as_dict(self, name: str, seconds: float) -> dict[str, Any]:
        """Return the report for JSON."""
        head = {"benchmark": name, "settings": dict(self.settings), "seconds": round(seconds, 2)}
        skipped = {} if self.skipped is None else {"skipped": self.skipped}
        return {**head, **skipped, "figures": [figure.as_dict() for figure in self.figures]}


def shared_data(name: str) -> Path:
    """Return the path of a file in ``NASWEB_SHARED_DATA`` (default: ``shared/data`` beside the repository)."""
    return Path(os.environ.get("NASWEB_SHARED_DATA", REPOSITORY.parent / "shared" / "data")) / name
