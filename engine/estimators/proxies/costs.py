"""Counts as proxies: how large a network is."""

from __future__ import annotations

from engine.cost import blueprint_cost
from engine.estimators.proxies.probe import Probe


def params(probe: Probe) -> float:
    """Millions of learned parameters."""
    return blueprint_cost(probe.blueprint).metric("params_m")


def madds(probe: Probe) -> float:
    """Millions of multiply-adds for one image; AZ-NAS's complexity."""
    return blueprint_cost(probe.blueprint).metric("madds_m")
