"""The time that a configuration will take, estimated from recorded evaluations of the same estimate and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from searches.models import Evaluation
from searches.services import dispatching
from searches.services.resolving import Resolved, Stage

LATEST = 50


@dataclass(frozen=True)
class Measured:
    """Seconds of one evaluation: the median and the range of the latest ``runs``, and the ``devices`` that ran them.

    ``same_space`` is true if the runs were on the same space. Without runs there are no numbers.
    """

    runs: int
    median_seconds: float | None = None
    low_seconds: float | None = None
    high_seconds: float | None = None
    same_space: bool = False
    devices: tuple[str, ...] = ()


def measured(resolved: Resolved, stage: Stage) -> Measured:
    """Return the times of the latest runs of a stage's estimate on this space, or on all spaces if it has none."""
    done = Evaluation.objects.filter(identity=stage.identity, status=Evaluation.Status.DONE, seconds__gt=0)
    for same_space in (True, False):
        found = done.filter(space_hash=resolved.space.content_hash) if same_space else done
        rows = list(found.order_by("-id").values_list("seconds", "device")[:LATEST])
        if rows:
            seconds = [row[0] for row in rows]
            devices = tuple(sorted({row[1] for row in rows if row[1]}))
            return Measured(len(rows), median(seconds), min(seconds), max(seconds), same_space, devices)
    return Measured(0)


def outlook(resolved: Resolved, bound: int | None) -> dict[str, Any]:
    """Return seconds by stage, the number of workers, and the seconds until the end.

    Numbers that are not known are None. Looked-up scores take too little time to forecast.
    """
    stages = [Measured(0) if stage.inline else measured(resolved, stage) for stage in resolved.stages]
    workers = dispatching.alive_workers()
    return {
        "inline": resolved.stages[0].inline,
        "stages": [asdict(stage) | {"devices": list(stage.devices)} for stage in stages],
        "workers": workers,
        "eta_seconds": _eta(resolved, stages, bound, workers),
    }


def _eta(resolved: Resolved, stages: Sequence[Measured], bound: int | None, workers: int) -> float | None:
    config = resolved.config
    limits = [limit for limit in (config.budget.evaluations, bound) if limit is not None]
    total = float(config.budget.seconds) if config.budget.seconds is not None else None
    if limits and all(stage.median_seconds is not None for stage in stages):
        networks = max(min(limits) - config.finalists, 0)
        counts = (networks, config.finalists)
        seconds = sum((stage.median_seconds or 0.0) * count for stage, count in zip(stages, counts, strict=False))
        total = seconds if total is None else min(total, seconds)
    return None if total is None or resolved.stages[0].inline else total / max(workers, 1)
