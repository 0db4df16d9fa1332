"""Options of latency measurements."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine.config.base import Name, Options
from engine.config.datasets import DatasetOptions
from engine.config.spaces import SpaceOptions


class LatencyOptions(Options):
    """Options of measurements; a forward pass of a network or an operator is timed, in float32 without compilation."""

    device: Literal["cpu", "cuda"] = Field("cpu", title="Device")
    threads: int = Field(
        1, ge=1, le=256, title="Threads", description="number of threads that torch may use on the CPU"
    )
    batch_size: int = Field(1, ge=1, le=4096, title="Batch size", description="images per pass; times are per pass")
    warmup: int = Field(3, ge=0, le=1000, title="Warm-up", description="passes before the measurement")
    repeats: int = Field(
        15,
        ge=3,
        le=10_000,
        title="Repeats",
        description="number of passes for the median; fewer if a pass takes long",
    )
    seconds: float = Field(
        1.0,
        gt=0,
        le=600,
        title="Seconds at most",
        description="for one operator or network: slower ones are repeated less often, but at least three times",
    )


class ImageSize(Options):
    """The size of images and the number of classes, if there is no data set."""

    channels: int = Field(3, ge=1, le=64, title="Channels")
    height: int = Field(32, ge=1, le=1024, title="Height")
    width: int = Field(32, ge=1, le=1024, title="Width")
    classes: int = Field(10, ge=2, le=100_000, title="Classes")


class LatencyRequest(Options):
    """A request to measure every operator of a space, for the images of a data set or of a given size."""

    name: Name = ""
    space: SpaceOptions = Field(title="Search space")
    dataset: DatasetOptions | None = Field(
        None, title="Data", description="the data set whose image size and classes are used"
    )
    input: ImageSize | None = Field(
        None, title="Images", description="size of the images and number of classes, instead of a data set"
    )
    measurement: LatencyOptions = Field(default_factory=LatencyOptions, title="Measurement")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.dataset is None) == (self.input is None):
            raise ValueError("give either a data set or the size of the images (input)")
        return self
