"""Summaries of latency tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any


def by_operation(entries: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return, per operation, the number of operators and their least, mean and largest milliseconds; slowest first."""
    groups: dict[str, list[float]] = defaultdict(list)
    for name, value in entries.items():
        groups[name.partition(" ")[0]].append(value)
    rows = [
        {"operation": name, "count": len(v), "least": min(v), "mean": sum(v) / len(v), "largest": max(v)}
        for name, v in groups.items()
    ]
    return sorted(rows, key=lambda row: -row["largest"])
