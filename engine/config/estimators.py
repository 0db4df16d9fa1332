"""Options of the estimates that look at networks, and the choice among all estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.config.estimate import EstimateOptions
from engine.config.lookups import NasBench301Options, TableOptions, TabularOptions


class MoteOptions(EstimateOptions):
    """MOTE: train a reduced architecture on reduced data; combine its loss landscape with its speed of convergence."""

    recipe: ClassVar[int] = 4
    later: ClassVar[frozenset[str]] = frozenset({"network"})
    has_mote_parts: ClassVar[bool] = True
    joint: ClassVar[str] = "mote"

    kind: Literal["mote"] = "mote"
    profile: Literal["fast", "paper"] = Field(
        "fast",
        title="Profile",
        description="fast: 100 small steps, under a second; paper: the published 250 steps of 1024 images",
    )
    time_model: Literal["deterministic", "wall"] = Field(
        "deterministic",
        title="Time",
        description="deterministic: computed from the network, so that all workers agree; wall: measured, as published",
    )
    landscape_mode: Literal["evaluate", "fit"] = Field(
        "evaluate",
        title="Landscape",
        description="evaluate: the loss at each point of the slice (paper); fit: an epoch from each point (code)",
    )
    network: Literal["reduced", "full"] = Field(
        "reduced",
        title="Network",
        description="reduced: MOTE's small network (RA) on small images; full: the network itself on whole images, "
        "many times more expensive",
    )
    reduction: Literal["auto", "labels", "random", "none"] = Field(
        "auto",
        title="Reduced data",
        description="labels: the images of a few distinct classes (RD); random: some of every class (RD-RS); none: all "
        "training images; auto: labels if the data have at least twice the number of classes kept, otherwise random",
    )
    reduced_labels: int = Field(
        10, ge=2, le=1000, title="Number of classes kept (K)", description="for reduced data by labels"
    )
    encoder: Literal["auto", "published", "pixels", "vgg16_pool", "vgg16_softmax"] = Field(
        "auto",
        title="Label encoder",
        description="how classes are compared; published: the authors' for CIFAR-100; auto: published, else pixels",
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and the order of images"
    )

    @property
    def seconds_carry_over(self) -> bool:
        """Return whether the network is the reduced one, which has about the same size in all spaces."""
        return self.network == "reduced"

    def like_mote(self) -> Sequence[MoteOptions]:
        """Return the same estimate on the reduced network."""
        return (self.model_copy(update={"network": "reduced"}),)


class MotePlusOptions(EstimateOptions):
    """MOTE, and how well the untrained network distinguishes images: a little slower, but ranks networks better."""

    recipe: ClassVar[int] = 100 * MoteOptions.recipe + 2
    """The recipe of MOTE times 100, plus the recipe of the untrained network's terms."""
    joint: ClassVar[str] = "mote_plus"

    kind: Literal["mote_plus"] = "mote_plus"
    profile: Literal["fast", "paper", "untrained"] = Field(
        "fast", title="Profile", description="fast and paper: as for MOTE; untrained: without MOTE's training"
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights, noise and the order of images"
    )


class ShortTrainingOptions(EstimateOptions):
    """Train the full network for a few epochs; the score is its validation accuracy."""

    recipe: ClassVar[int] = 2
    in_percent: ClassVar[bool] = True

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
    """Score the untrained network by one training-free proxy, in seconds at most."""

    recipe: ClassVar[int] = 3
    kind: Literal["proxy"] = "proxy"
    name: ProxyName = Field("synflow", title="Proxy", description="engine/README.md names the paper of each")
    network: Literal["full", "reduced"] = Field(
        "full", title="Network", description="full: as published; reduced: MOTE's small network, quicker"
    )
    images: int = Field(64, ge=4, le=1024, title="Images", description="number of images in the one batch that is used")
    seed: int = Field(0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and noise")


class LossCurveOptions(EstimateOptions):
    """Train as MOTE does and score the training losses (TSE, arXiv 2006.04492): the sooner they fall, the better."""

    recipe: ClassVar[int] = 100 * MoteOptions.recipe + 1
    """The recipe of MOTE times 100, plus the recipe of the summaries."""

    kind: Literal["loss_curve"] = "loss_curve"
    name: Literal["tse", "tse_e", "tse_ema", "last_loss"] = Field(
        "tse",
        title="Summary",
        description="tse: sum over all epochs; tse_e: over the last; tse_ema: later epochs weigh more; last_loss",
    )
    last_epochs: int = Field(2, ge=1, le=50, title="Last epochs", description="number of epochs that tse_e sums")
    profile: Literal["fast", "paper"] = Field("fast", title="Profile", description="as for MOTE")
    seed: int = Field(
        0, ge=0, lt=2**31, title="Estimate seed", description="fixes initial weights and the order of images"
    )


EstimatorOptions = Annotated[
    MoteOptions
    | MotePlusOptions
    | LossCurveOptions
    | ProxyOptions
    | ShortTrainingOptions
    | TableOptions
    | TabularOptions
    | NasBench301Options,
    Field(discriminator="kind"),
]
