"""How latencies are measured."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine.config.base import Name, Options
from engine.config.datasets import DatasetOptions
from engine.config.spaces import SpaceOptions


class LatencyOptions(Options):
    """One setting for whole networks and for single operators: a forward pass in float32, nothing compiled."""

    device: Literal["cpu", "cuda"] = Field("cpu", title="Device")
    threads: int = Field(1, ge=1, le=256, title="Threads", description="that torch may use on the CPU")
    batch_size: int = Field(1, ge=1, le=4096, title="Batch size", description="images a pass; the time is the pass's")
    warmup: int = Field(3, ge=0, le=1000, title="Warm-up", description="passes before the first that counts")
    repeats: int = Field(
        15,
        ge=3,
        le=10_000,
        title="Repeats",
        description="passes of which the median counts; fewer where one takes long",
    )
    seconds: float = Field(
        1.0,
        gt=0,
        le=600,
        title="Seconds at most",
        description="for one operator or network: what takes longer is repeated less, three times at least",
    )


class ImageSize(Options):
    """What networks take and give, where no data set says it."""

    channels: int = Field(3, ge=1, le=64, title="Channels")
    height: int = Field(32, ge=1, le=1024, title="Height")
    width: int = Field(32, ge=1, le=1024, title="Width")
    classes: int = Field(10, ge=2, le=100_000, title="Classes")


class LatencyRequest(Options):
    """A table to measure: every operator of a space, for the images of a data set or of a given size."""

    name: Name = ""
    space: SpaceOptions = Field(title="Search space")
    dataset: DatasetOptions | None = Field(None, title="Data", description="whose images and classes count")
    input: ImageSize | None = Field(None, title="Images", description="or their size")
    measurement: LatencyOptions = Field(default_factory=LatencyOptions, title="Measurement")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.dataset is None) == (self.input is None):
            raise ValueError("name either a data set or the size of the images (input)")
        return self
