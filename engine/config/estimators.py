"""Options of the estimates."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.benchmark_tables import catalogue
from engine.benchmark_tables.catalogue import BENCHMARKS
from engine.config.base import Options


class EstimateOptions(Options):
    """Base of all estimates' options."""

    trains: ClassVar[bool] = True
    """Whether networks are built and shown images; if not, a search needs no data."""
    place_field: ClassVar[str] = "path"
    """Where a complaint about the table's file is shown."""
    recipe: ClassVar[int] = 1
    """Counted up whenever the same options give other scores than before: scores kept from older recipes are void."""
    later: ClassVar[frozenset[str]] = frozenset()
    """Options that older scores do not know: at their defaults they are no part of an estimate's identity."""

    @property
    def cost_column(self) -> str | None:
        """The table's column of the metric table_cost; None: the estimate has none."""
        return None

    def identifying(self) -> dict[str, Any]:
        """All options that a score depends on besides the seed, JSON-ready."""
        fields = type(self).model_fields
        unset = {name for name in self.later if getattr(self, name) == fields[name].default}
        return self.model_dump(mode="json", exclude={"seed", "table", "path", *unset})


class MoteOptions(EstimateOptions):
    """MOTE: train a reduced architecture on reduced data; combine its loss landscape with its speed of convergence."""

    recipe: ClassVar[int] = 4
    later: ClassVar[frozenset[str]] = frozenset({"network"})

    kind: Literal["mote"] = "mote"
    profile: Literal["fast", "paper"] = Field(
        "fast",
        title="Profile",
        description="fast: a hundred small steps, under a second; paper: the published 250 of 1024 images",
    )
    time_model: Literal["deterministic", "wall"] = Field(
        "deterministic",
        title="Time",
        description="deterministic: counted from the network, one score on any worker; wall: measured, as published",
    )
    landscape_mode: Literal["evaluate", "fit"] = Field(
        "evaluate",
        title="Landscape",
        description="evaluate: the loss at each point of the slice (paper); fit: an epoch from it (code)",
    )
    network: Literal["reduced", "full"] = Field(
        "reduced",
        title="Network",
        description="reduced: MOTE's small network (RA) on small images; full: the network itself on whole images, "
        "many times dearer",
    )
    reduction: Literal["auto", "labels", "random", "none"] = Field(
        "auto",
        title="Reduced data",
        description="labels: the images of a few telling labels (RD); random: some of every label (RD-RS); "
        "none: all training images; auto: labels where the data have at least twice as many, else random",
    )
    reduced_labels: int = Field(10, ge=2, le=1000, title="Labels kept", description="K of RD")
    encoder: Literal["auto", "published", "pixels", "vgg16_pool", "vgg16_softmax"] = Field(
        "auto",
        title="Label encoder",
        description="how labels are told apart; published: the authors' choice for CIFAR-100; auto: that, else pixels",
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and the order of images"
    )


class MotePlusOptions(EstimateOptions):
    """MOTE joined with how well the untrained network tells images apart: a little dearer, and ranks clearly better."""

    recipe: ClassVar[int] = 100 * MoteOptions.recipe + 2
    """MOTE's own, and that of what is beside it."""

    kind: Literal["mote_plus"] = "mote_plus"
    profile: Literal["fast", "paper", "untrained"] = Field(
        "fast", title="Profile", description="fast and paper: as for MOTE; untrained: leaves MOTE's training out"
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights, noise and the order of images"
    )


class ShortTrainingOptions(EstimateOptions):
    """Train the full network for a few epochs; the score is its validation accuracy."""

    recipe: ClassVar[int] = 2

    kind: Literal["short_training"] = "short_training"
    epochs: int = Field(2, ge=1, le=200, title="Epochs")
    batch_size: int = Field(64, ge=2, le=4096, title="Batch size")
    learning_rate: float = Field(
        0.05, gt=0, le=10, title="Learning rate", description="peak of a one-cycle SGD schedule"
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and the order of images"
    )


ProxyName = Literal[
    "params",
    "madds",
    "grad_norm",
    "snip",
    "grasp",
    "synflow",
    "fisher",
    "jacob_cov",
    "naswot",
    "zen",
    "zico",
    "ntk_condition",
    "knas",
    "lga",
    "meco",
    "expressivity",
    "progressivity",
    "trainability",
    "complexity",
]


class ProxyOptions(EstimateOptions):
    """Score the untrained network by one training-free proxy; seconds at most, and worth as much as its ranking."""

    recipe: ClassVar[int] = 3
    kind: Literal["proxy"] = "proxy"
    name: ProxyName = Field("synflow", title="Proxy", description="engine/README.md names the paper of each")
    network: Literal["full", "reduced"] = Field(
        "full", title="Network", description="full: as published; reduced: MOTE's small network, quicker"
    )
    images: int = Field(64, ge=4, le=1024, title="Images", description="size of the one batch that is looked at")
    seed: int = Field(0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and noise")


class LossCurveOptions(EstimateOptions):
    """Train as MOTE does and score the losses on the way (TSE, arXiv 2006.04492); the sooner they fall the better."""

    recipe: ClassVar[int] = 100 * MoteOptions.recipe + 1
    """MOTE's own, and that of the summaries."""

    kind: Literal["loss_curve"] = "loss_curve"
    name: Literal["tse", "tse_e", "tse_ema", "last_loss"] = Field(
        "tse",
        title="Summary",
        description="tse: sum over epochs; tse_e: over the last ones; tse_ema: later epochs count more; last_loss",
    )
    last_epochs: int = Field(2, ge=1, le=50, title="Last epochs", description="how many tse_e sums")
    profile: Literal["fast", "paper"] = Field("fast", title="Profile", description="as for MOTE")
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and the order of images"
    )


class TableOptions(EstimateOptions):
    """Look scores up in a CSV or Parquet table with a column ``arch`` in the space's string form."""

    trains: ClassVar[bool] = False
    kind: Literal["table"] = "table"
    table: int | None = Field(None, title="Table", description="number of an uploaded table")
    path: str | None = Field(
        None, title="or file", description="a CSV or Parquet file on this machine (local use only)"
    )
    reward: str = Field(
        title="Reward column", description="what the search maximises, for example a validation accuracy"
    )
    cost: str | None = Field(None, title="Cost column", description="offers the objective the metric table_cost")
    truth: str | None = Field(None, title="Truth column", description="reported beside the result, never searched on")
    seconds: str | None = Field(None, title="Seconds column", description="what one trial is charged")
    seconds_factor: float = Field(1.0, gt=0, title="Factor on seconds")
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="tables have no chance in them; kept for a common form"
    )

    @property
    def cost_column(self) -> str | None:
        """The column of the metric table_cost."""
        return self.cost

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.path is None):
            raise ValueError("name either an uploaded table or a file")
        return self


class BenchmarkOptions(EstimateOptions):
    """Look scores up in an official benchmark file that was read on this machine (see the page Tables)."""

    trains: ClassVar[bool] = False
    place_field: ClassVar[str] = "name"
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
        description="of the validation accuracy that is the score, and of its seconds",
    )
    truth_epochs: int | None = Field(
        None, ge=1, le=200, title="Epochs of the truth", description="of the test accuracy reported; empty: the longest"
    )
    cost: Literal["params_m", "madds_m", "latency_ms"] | None = Field(
        None,
        title="Benchmark's cost",
        description="offers the objective the metric table_cost, as the benchmark has it",
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="tables have no chance in them; kept for a common form"
    )

    @model_validator(mode="after")
    def _measured(self) -> Self:
        benchmark = BENCHMARKS[self.name]
        if self.dataset not in benchmark.datasets:
            raise ValueError(f"{benchmark.label} has the data {', '.join(benchmark.datasets)} only")
        for epochs in (self.epochs, self.truth_epochs):
            if epochs not in (None, *benchmark.epochs):
                trained = ", ".join(map(str, benchmark.epochs))
                raise ValueError(f"{benchmark.label} trained for {trained} epochs, not {epochs}")
        if self.cost not in (None, *benchmark.costs):
            raise ValueError(f"{benchmark.label} states the costs {', '.join(benchmark.costs)} only")
        return self

    @property
    def cost_column(self) -> str | None:
        """The column of the metric table_cost."""
        return self.as_table(self.name).cost

    def as_table(self, path: str) -> TableOptions:
        """The same as columns of the converted table at ``path``."""
        return TableOptions(
            path=path,
            reward=catalogue.accuracy(self.dataset, "valid", self.epochs),
            truth=catalogue.accuracy(self.dataset, "test", self.truth_epochs or BENCHMARKS[self.name].epochs[-1]),
            seconds=catalogue.seconds(self.dataset, self.epochs),
            cost=catalogue.cost(self.dataset, self.cost) if self.cost else None,
            seed=self.seed,
        )


class NasBench301Options(EstimateOptions):
    """Ask NAS-Bench-301's surrogate for the validation accuracy of DARTS networks on CIFAR-10, without training."""

    trains: ClassVar[bool] = False
    place_field: ClassVar[str] = "version"
    kind: Literal["nasbench301"] = "nasbench301"
    version: Literal["1.0", "0.9"] = Field("1.0", title="Version", description="of the authors' models (xgb)")
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        title="Estimate seed",
        description="predictions have no chance in them; kept for a common form",
    )


EstimatorOptions = Annotated[
    MoteOptions
    | MotePlusOptions
    | LossCurveOptions
    | ProxyOptions
    | ShortTrainingOptions
    | TableOptions
    | BenchmarkOptions
    | NasBench301Options,
    Field(discriminator="kind"),
]
