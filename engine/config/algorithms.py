"""Options of the search algorithms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.config.base import Options


class LayerNASOptions(Options):
    """LayerNAS (Algorithm 1): layer by layer, the best candidates per cost bucket."""

    kind: Literal["layernas"] = "layernas"
    bucketing: Literal["cost", "unique"] = Field(
        "cost", title="Buckets", description="cost: equation 4; unique: every network keeps its own bucket (topology search)"
    )
    buckets: int = Field(100, ge=1, le=10_000, title="Buckets a layer (H)")
    replicas: int = Field(3, ge=1, le=1_000, title="Networks a bucket (k)", description="several guard against a lucky score")
    select: Literal["best", "random"] = Field(
        "best", title="Selection", description="which stored network is extended next: the best one with work left, or any"
    )
    searches_per_layer: int = Field(1, ge=1, title="Searches a layer (R)")
    children_per_search: int = Field(1, ge=1, title="Children a search (T)")
    child_order: Literal["random", "listed", "cost"] = Field(
        "random", title="Order of children", description="the order in which a network's untried children are scored"
    )


class RandomSearchOptions(Options):
    """Uniformly random feasible networks, none twice: the baseline every search must beat."""

    kind: Literal["random"] = "random"


AlgorithmOptions = Annotated[LayerNASOptions | RandomSearchOptions, Field(discriminator="kind")]
