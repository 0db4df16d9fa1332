"""The configuration of a whole search as one document."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from engine.config.algorithms import AlgorithmOptions, LayerNASOptions
from engine.config.base import Name, Options, to_fields
from engine.config.datasets import DatasetOptions
from engine.config.documents import Document
from engine.config.estimators import EstimatorOptions
from engine.config.spaces import SpaceOptions
from engine.errors import ConfigError
from engine.metrics import COST_NAMES, DEFAULT_COST

Bounds = tuple[str, float | None, float | None]
"""A metric, and its lowest and highest allowed value in its unit; None means no limit."""

ESTIMATE_PATHS = ("estimator", "final.estimator")
"""The path of each stage's estimate in a document."""
MOVED = ("dataset", "final.estimator", "final.count", "objective.size_exponent")
"""Fields that the checks of the whole document name in their errors."""


class Range(Options):
    """Limits on one cost, in the unit that the metric's name states; an empty end means no limit."""

    lo: float | None = Field(None, ge=0, title="From")
    hi: float | None = Field(None, ge=0, title="To")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lo is not None and self.hi is not None and self.lo > self.hi:
            raise ValueError(f"the lower limit {self.lo:g} is above the upper limit {self.hi:g}")
        return self


class Constraint(Range):
    """Limits on a further cost, which every reported network must meet."""

    metric: str = Field(title="Metric", json_schema_extra={"enum": list(COST_NAMES)})

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_metric(self.metric)
        return self


class Objective(Range):
    """The cost that is bucketed and its target range. The score is always maximised."""

    cost_metric: str = Field(DEFAULT_COST, title="Cost", json_schema_extra={"enum": list(COST_NAMES)})
    latency_table: int | None = Field(
        None, title="Latency table", description="number of a measured or uploaded table; gives the metric latency_ms"
    )
    latency_hash: str | None = Field(
        None,
        max_length=64,
        title="Content of the latency table",
        description="digest of the table, written by nasweb; the search is refused if its times differ",
    )
    size_exponent: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Size exponent",
        description="for accuracies in percent after a short training, which favours small networks; ranks them as "
        "if full training divided the error by the cost to this power; 0: by their scores",
    )
    constraints: tuple[Constraint, ...] = Field((), title="Further limits")

    @cached_property
    def limits(self) -> tuple[Bounds, ...]:
        """The limits on the bucketed cost, followed by the further limits."""
        return (self.cost_metric, self.lo, self.hi), *((c.metric, c.lo, c.hi) for c in self.constraints)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_metric(self.cost_metric)
        return self


class Budget(Options):
    """When to stop: a trial that would exceed either number is not started."""

    evaluations: int | None = Field(100, ge=1, le=1_000_000, title="Evaluations")
    seconds: float | None = Field(
        None, gt=0, title="Seconds", description="sum of the seconds of all trials, measured or from the table"
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.evaluations is None and self.seconds is None:
            raise ValueError("give a number of evaluations, of seconds, or both")
        return self


class Final(Options):
    """A second estimate, which decides between the leading networks; a part of the budget is kept for it."""

    estimator: EstimatorOptions = Field(title="Estimate")
    count: int = Field(
        10,
        ge=1,
        le=1_000,
        title="Finalists",
        description="leading networks that are scored again; each counts as a trial",
    )
    share: float = Field(
        0.4, gt=0, lt=1, title="Share of the seconds", description="part of a budget in seconds kept for finalists"
    )


class SearchConfig(Document):
    """Everything that defines a search. The same document and seed give the same search anywhere."""

    first_fields = "space, estimator"

    name: Name = ""
    space: SpaceOptions = Field(title="Search space")
    dataset: DatasetOptions | None = Field(
        None, title="Data", description="what networks train on; not needed by tables"
    )
    algorithm: AlgorithmOptions = Field(default_factory=LayerNASOptions, title="Algorithm")
    estimator: EstimatorOptions = Field(title="Estimate")
    objective: Objective = Field(default_factory=Objective, title="Objective")
    budget: Budget = Field(default_factory=Budget, title="Budget")
    round_size: int = Field(
        8, ge=1, le=1024, title="Round size", description="proposals before the algorithm uses their scores"
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Seed")
    final: Final | None = Field(None, title="Final estimate")

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, raw: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Check what only the whole document shows, once all of its fields are valid."""
        config = validate(raw)
        config._check_data()
        config._check_final()
        config._check_exponent()
        return config

    def _check_data(self) -> None:
        if self.dataset is None and any(options.needs_images for options in self.estimators):
            raise ValueError("dataset: this estimate trains networks; choose the data to train on")

    def _check_final(self) -> None:
        if self.final is None:
            return
        if self.final.estimator == self.estimator:
            raise ValueError("final.estimator: this is the search's own estimate; change its options or its seed")
        most = self.budget.evaluations
        if most is not None and self.finalists >= most:
            raise ValueError(f"final.count: the budget of {most} evaluations leaves none for the search; choose fewer")

    def _check_exponent(self) -> None:
        if self.objective.size_exponent and not self.estimator.in_percent:
            raise ValueError(
                "objective.size_exponent: this estimate's scores are not accuracies in percent; set it to 0"
            )

    @cached_property
    def estimators(self) -> tuple[EstimatorOptions, ...]:
        """The estimate of each stage: the search's, and the final one if there is one."""
        return (self.estimator,) if self.final is None else (self.estimator, self.final.estimator)

    @cached_property
    def finalists(self) -> int:
        """The number of networks that may be scored again."""
        return 0 if self.final is None else self.final.count

    def beside(self, folder: Path) -> SearchConfig:
        """Return the same search with relative paths of tables resolved from the folder."""
        final = self.final and self.final.model_copy(update={"estimator": self.final.estimator.beside(folder)})
        return self.model_copy(update={"estimator": self.estimator.beside(folder), "final": final})

    @classmethod
    def _complaints(cls, error: ValidationError, raw: Mapping[str, Any]) -> ConfigError:
        return to_fields(super()._complaints(error, raw), MOVED)


def _check_metric(metric: str) -> None:
    if metric not in COST_NAMES:
        raise ValueError(f"'{metric}' is not a cost metric; choose one of {', '.join(COST_NAMES)}")
