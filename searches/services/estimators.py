"""The estimators a process has made, kept with their data for the next network."""

from __future__ import annotations

from collections import OrderedDict

from engine.estimate import Estimator
from engine.registry import create_estimator
from searches.services.resolving import Resolved

KEPT = 2
_kept: OrderedDict[str, Estimator] = OrderedDict()


def estimator_of(resolved: Resolved) -> Estimator:
    """The estimator of a configuration; the first one of a process that trains imports torch."""
    key = f"{resolved.identity} {resolved.space.content_hash}"
    estimator = _kept.pop(key, None)
    if estimator is None:
        estimator = create_estimator(resolved.config.estimator, resolved.space, resolved.open_data(), resolved.table)
    _kept[key] = estimator
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return estimator
