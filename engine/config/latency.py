"""How latencies are measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.config.base import Options


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
