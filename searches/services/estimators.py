"""The estimators that a process has made; they are kept with their data for the next network."""

from __future__ import annotations

from collections import OrderedDict

from engine.estimate import Estimator
from engine.registry import create_estimator
from searches.services.resolving import Resolved, Stage

KEPT = 3
_kept: OrderedDict[str, Estimator] = OrderedDict()


def estimator_of(resolved: Resolved, stage: Stage | None = None) -> Estimator:
    """Return the estimator of a stage (default: the search's).

    The first estimator that builds networks imports torch into the process.
    """
    stage = stage or resolved.stages[0]
    key = f"{stage.identity} {resolved.space.content_hash}"
    estimator = _kept.pop(key, None)
    if estimator is None:
        estimator = create_estimator(stage.options, resolved.space, resolved.open_data(stage), stage.table)
    _kept[key] = estimator
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return estimator
