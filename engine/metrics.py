"""The catalogue of metrics: every number that is known of a network and that people sort, limit, plot or download.

This module is the one owner of a metric's name, label, unit, direction and number format. It is plain data and imports
nothing of the engine. `engine.cost` computes what is counted, models and serializers make a column or a field of each
entry, and pages receive the entries as JSON.

To add a cost: write an entry here and the code that computes it (`engine.cost` for a count of every node,
`engine.cost.WHOLE` for a count of the whole network), then run ``manage.py makemigrations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class MetricSource(Enum):
    """Where the values of a metric come from."""

    NODES = "nodes"
    """Counted at every node of the network and summed."""
    NETWORK = "network"
    """Counted from the whole network; it is not a sum over its nodes."""
    LATENCY = "latency"
    """Summed over the network's operators, from a latency table."""
    TABLE = "table"
    """Read from a column of a table of networks."""
    TRIAL = "trial"
    """Measured or charged when the network was evaluated."""
    SCORE = "score"
    """Given by an estimate, a table or a full training: how good the network is."""


@dataclass(frozen=True)
class Metric:
    """One number of a network.

    ``name`` is the metric's name in configurations, database columns, JSON fields and CSV columns.
    """

    name: str
    label: str
    """The label to use when the unit stands beside the number."""
    title: str
    """The label to use when the unit must be part of it: on axes, in choices of forms, in messages."""
    source: MetricSource
    unit: str = ""
    """The unit to print behind a number; empty if there is none or if it is not known."""
    higher_is_better: bool = False
    digits: int = 4
    """Significant digits on pages."""
    heading: str = ""
    """A shorter label for the heading of a table's column; if it is empty, the label is used."""
    count: str = ""
    """The field of `engine.cost.Cost` that holds the whole number behind the metric; empty if none does."""
    weight: int = 1
    """What one count weighs, in millionths of the unit: for example 4 for a value of float32, which takes 4 bytes."""
    missing: str = ""
    """Why a network may have no value; empty if every network has one."""
    rare: bool = False
    """True if tables show the column only when a network of the search has a value."""

    @property
    def is_cost(self) -> bool:
        """Return whether an objective may bucket or limit the metric."""
        return self.source in (MetricSource.NODES, MetricSource.NETWORK, MetricSource.LATENCY, MetricSource.TABLE)

    def as_json(self) -> dict[str, Any]:
        """Return what scripts need to show the metric."""
        return {
            "name": self.name,
            "label": self.label,
            "title": self.title,
            "heading": self.heading or self.label,
            "unit": self.unit,
            "source": self.source.value,
            "cost": self.is_cost,
            "default": self.name == DEFAULT_COST,
            "higher_is_better": self.higher_is_better,
            "digits": self.digits,
            "rare": self.rare,
        }


_SCORES = (
    Metric("score", "Score", "Score (higher is better)", MetricSource.SCORE, higher_is_better=True, digits=5),
    Metric(
        "final_score",
        "Final score",
        "Final score of the finalists",
        MetricSource.SCORE,
        higher_is_better=True,
        digits=5,
        rare=True,
    ),
    Metric(
        "valid_accuracy",
        "Validation accuracy",
        "Validation accuracy (%)",
        MetricSource.SCORE,
        unit="%",
        higher_is_better=True,
        heading="Valid. accuracy",
        rare=True,
    ),
    Metric(
        "truth",
        "Truth",
        "Truth from the table (not searched on)",
        MetricSource.SCORE,
        higher_is_better=True,
        digits=5,
        rare=True,
    ),
    Metric(
        "trained_valid_accuracy",
        "Trained validation accuracy",
        "Validation accuracy after full training (%)",
        MetricSource.SCORE,
        unit="%",
        higher_is_better=True,
        heading="Trained valid.",
        rare=True,
    ),
    Metric(
        "trained_test_accuracy",
        "Trained test accuracy",
        "Test accuracy after full training (%)",
        MetricSource.SCORE,
        unit="%",
        higher_is_better=True,
        heading="Trained test",
        rare=True,
    ),
)
_COSTS = (
    Metric("params_m", "Parameters", "Parameters (millions)", MetricSource.NODES, unit="M", count="params"),
    Metric(
        "madds_m",
        "Multiply-adds",
        "Multiply-adds (millions for one image)",
        MetricSource.NODES,
        unit="M",
        count="madds",
    ),
    Metric(
        "activation_mb",
        "Activation memory",
        "Activation memory (MB for one image)",
        MetricSource.NODES,
        unit="MB",
        heading="Activations",
        count="activations",
        weight=4,
    ),
    Metric(
        "peak_memory_mb",
        "Peak memory",
        "Peak memory (MB of maps at once, one image)",
        MetricSource.NETWORK,
        unit="MB",
        count="peak",
        weight=4,
        missing="the network was stored before its peak memory was counted",
        rare=True,
    ),
    Metric(
        "latency_ms",
        "Latency",
        "Latency (ms for one pass, from the latency table)",
        MetricSource.LATENCY,
        unit="ms",
        count="nanoseconds",
        missing="the search has no latency table",
        rare=True,
    ),
    Metric(
        "table_cost",
        "Table cost",
        "Table cost (the table's own unit)",
        MetricSource.TABLE,
        missing="the search has no table with a cost column",
        rare=True,
    ),
)
_TRIAL = (Metric("seconds", "Seconds", "Seconds of the trial", MetricSource.TRIAL, unit="s", digits=3),)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (*_SCORES, *_COSTS, *_TRIAL)}
"""Every metric by name, in the order of columns in files."""
COST_NAMES = tuple(name for name, metric in METRICS.items() if metric.is_cost)
"""Names of what an objective may bucket or limit."""
SCORE_NAMES = tuple(name for name, metric in METRICS.items() if metric.source is MetricSource.SCORE)
DEFAULT_COST = "madds_m"
"""The cost of an objective that names none."""
NODES = tuple(name for name, metric in METRICS.items() if metric.source is MetricSource.NODES)
"""Names of what is counted at the nodes of every network."""
NETWORK = tuple(name for name, metric in METRICS.items() if metric.source is MetricSource.NETWORK)
"""Names of what is counted from whole networks."""
LATENCY = next(metric.name for metric in METRICS.values() if metric.source is MetricSource.LATENCY)
"""The metric that needs a latency table."""
COUNTED = tuple(METRICS[name] for name in (*NODES, LATENCY))
"""What adds up over the nodes of a network, in the order of the counts of `engine.cost`."""
TABLE_COST = next(metric.name for metric in METRICS.values() if metric.source is MetricSource.TABLE)
"""The metric that needs a table of networks with a cost column."""


def title(name: str) -> str:
    """Return the label of a metric with its unit; a name that the catalogue lacks is its own label."""
    return METRICS[name].title if name in METRICS else name
