"""Values for every template."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from engine.metrics import METRICS
from searches.models import NetworkLatency, Search, Training

CATALOGUE = [metric.as_json() for metric in METRICS.values()]
NAVIGATION = (
    ("searches", "Searches", ("searches", "search", "search-new", "candidate", "difference")),
    ("compare", "Compare", ("compare",)),
    ("studies", "Studies", ("studies", "study")),
    ("trainings", "Trainings", ("trainings", "training")),
    ("datasets", "Data", ("datasets", "dataset", "digits")),
    ("tables", "Tables", ("tables", "table")),
    ("spaces", "Spaces", ("spaces", "space")),
    ("latency-tables", "Latency", ("latency-tables", "latency-table")),
    ("docs", "API", ("docs",)),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the top bar's links: ``(URL name, label, whether the page belongs to it)``."""
    name = request.resolver_match.url_name if request.resolver_match else None
    return {"navigation": [(url, label, name in family) for url, label, family in NAVIGATION]}


def metrics(request: HttpRequest) -> dict[str, Any]:
    """Return the catalogue of metrics for scripts; `static/js/core/metrics.js` reads it."""
    return {"metric_catalogue": CATALOGUE}


def statuses(request: HttpRequest) -> dict[str, Any]:
    """Return the groups of statuses for scripts, by kind of row; `static/js/core/status.js` reads them."""
    return {
        "status_groups": {
            "search": {"active": Search.ACTIVE, "ended": Search.ENDED},
            "training": {"active": Training.ACTIVE},
            "measurement": {"open": NetworkLatency.OPEN},
        }
    }
