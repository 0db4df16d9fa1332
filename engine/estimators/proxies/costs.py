"""Counts of a network's size as proxies."""

from __future__ import annotations

from engine.cost import blueprint_cost
from engine.estimators.proxies.probe import Probe


def params(probe: Probe) -> float:
    """Return the millions of learned parameters."""
    return blueprint_cost(probe.blueprint).metric("params_m")


def madds(probe: Probe) -> float:
    """Return the millions of multiply-adds for one image, which is AZ-NAS's complexity."""
    return blueprint_cost(probe.blueprint).metric("madds_m")
