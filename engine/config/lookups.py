"""Options of the estimates that look scores up."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine import tabular_benchmarks
from engine.config.estimate import EstimateOptions
from engine.sources import Source, SurrogateSource, TableColumns
from engine.tabular_benchmarks import TABULAR_BENCHMARKS


class TableOptions(EstimateOptions):
    """Look scores up in a CSV or Parquet table with a column ``arch`` in the space's string form."""

    needs_images: ClassVar[bool] = False
    looks_up: ClassVar[bool] = True
    in_percent: ClassVar[bool] = True  # they may be: only the user knows what the columns hold
    kind: Literal["table"] = "table"
    table: int | None = Field(None, title="Table", description="number of an uploaded table")
    path: str | None = Field(
        None, title="or file", description="a CSV or Parquet file on this machine (local use only)"
    )
    reward: str = Field(
        title="Reward column", description="what the search maximises, for example a validation accuracy"
    )
    cost: str | None = Field(None, title="Cost column", description="the objective's metric table_cost")
    truth: str | None = Field(
        None, title="Truth column", description="reported with the result, never used by the search"
    )
    seconds: str | None = Field(None, title="Seconds column", description="seconds charged for one trial")
    seconds_factor: float = Field(1.0, gt=0, title="Factor on seconds")
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="has no effect on a table; all estimates have this field"
    )

    @cached_property
    def source(self) -> Source:
        """The uploaded table or the file; raises ValueError if the options name neither or both."""
        columns = TableColumns(self.reward, self.cost, self.truth, self.seconds, self.seconds_factor)
        return Source("path" if self.table is None else "table", columns, row=self.table, path=self.path)

    def beside(self, folder: Path) -> Self:
        """Return the same estimate; a relative path of its file is resolved from the folder."""
        if self.path is None:
            return self
        return self.model_copy(update={"path": str((folder / Path(self.path).expanduser()).absolute())})


class TabularOptions(EstimateOptions):
    """Look scores up in an official benchmark file that was read on this machine (see the page Tables)."""

    needs_images: ClassVar[bool] = False
    looks_up: ClassVar[bool] = True
    in_percent: ClassVar[bool] = True
    kind: Literal["benchmark"] = "benchmark"
    name: Literal["nats_tss", "nats_sss", "nasbench101"] = Field(
        "nats_tss",
        title="Benchmark",
        description="NATS-Bench topology for NAS-Bench-201 cells, NATS-Bench size for five-layer sizes, NAS-Bench-101",
    )
    dataset: Literal["cifar10", "cifar100", "ImageNet16-120"] = Field("cifar10", title="Benchmark's data")
    epochs: int = Field(
        12,
        ge=1,
        le=200,
        title="Epochs of the score",
        description="length of the training whose validation accuracy is the score, and whose seconds are charged",
    )
    truth_epochs: int | None = Field(
        None,
        ge=1,
        le=200,
        title="Epochs of the truth",
        description="length of the training whose test accuracy is reported; empty: the longest",
    )
    cost: Literal["params_m", "madds_m", "latency_ms"] | None = Field(
        None,
        title="Benchmark's cost",
        description="the objective's metric table_cost, as the benchmark states it",
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="has no effect on a table; all estimates have this field"
    )

    @model_validator(mode="after")
    def _measured(self) -> Self:
        benchmark = TABULAR_BENCHMARKS[self.name]
        if self.dataset not in benchmark.datasets:
            raise ValueError(f"{benchmark.label} has only the data {', '.join(benchmark.datasets)}")
        for epochs in (self.epochs, self.truth_epochs):
            if epochs not in (None, *benchmark.epochs):
                trained = ", ".join(map(str, benchmark.epochs))
                raise ValueError(f"{benchmark.label} has networks trained for {trained} epochs, not {epochs}")
        if self.cost not in (None, *benchmark.costs):
            raise ValueError(f"{benchmark.label} states only the costs {', '.join(benchmark.costs)}")
        return self

    @cached_property
    def source(self) -> Source:
        """The converted benchmark, and those of its columns that the options select."""
        columns = TableColumns(
            reward=tabular_benchmarks.accuracy(self.dataset, "valid", self.epochs),
            truth=tabular_benchmarks.accuracy(
                self.dataset, "test", self.truth_epochs or TABULAR_BENCHMARKS[self.name].epochs[-1]
            ),
            seconds=tabular_benchmarks.seconds(self.dataset, self.epochs),
            cost=tabular_benchmarks.cost(self.dataset, self.cost) if self.cost else None,
        )
        return Source("name", columns, official=self.name)


class NasBench301Options(EstimateOptions):
    """Ask NAS-Bench-301's surrogate for the validation accuracy of DARTS networks on CIFAR-10, without training."""

    needs_images: ClassVar[bool] = False
    looks_up: ClassVar[bool] = True
    in_percent: ClassVar[bool] = True
    kind: Literal["nasbench301"] = "nasbench301"
    version: Literal["1.0", "0.9"] = Field(
        "1.0", title="Version", description="version of the authors' XGBoost models (xgb)"
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        title="Estimate seed",
        description="has no effect on predictions; all estimates have this field",
    )

    @cached_property
    def source(self) -> Source:
        """The surrogate of this version."""
        return SurrogateSource("version", official=f"nasbench301_{self.version}", version=self.version)
