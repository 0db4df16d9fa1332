"""Options of the search algorithms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.config.base import OFFERED, Options


class LayerNASOptions(Options):
    """LayerNAS (Algorithm 1): search layer by layer and keep the best networks of each cost bucket."""

    kind: Literal["layernas"] = "layernas"
    bucketing: Literal["cost", "unique"] = Field(
        "cost",
        title="Buckets",
        description="cost: equation 4; unique: every network keeps its own bucket (topology search)",
    )
    buckets: int = Field(100, ge=1, le=10_000, title="Buckets per layer (H)")
    replicas: int = Field(
        3, ge=1, le=1_000, title="Networks per bucket (k)", description="more than one protects against a lucky score"
    )
    select: Literal["best", "random"] = Field(
        "best",
        title="Selection",
        description="which stored network is extended next: the best one with untried children, or any of them",
    )
    searches_per_layer: int = Field(1, ge=1, title="Searches per layer (R)")
    children_per_search: int = Field(1, ge=1, title="Children per search (T)")
    child_order: Literal["random", "listed", "cost"] = Field(
        "random", title="Order of children", description="order in which a network's untried children are scored"
    )
    layer_order: Literal["listed", "reversed", "cost"] = Field(
        "listed",
        title="Order of layers",
        description="the order in which layers are searched: as the space lists them, the last one first, or by cost: "
        "those that change the cost most come first; spaces whose layers depend on earlier ones take only listed",
    )
    completion: Literal["default", "scaled"] = Field(
        "default",
        title="Later layers",
        description="the options of later layers while a network is scored. scaled: options that fit "
        "the limits, so that networks within them are found from the start; default: the space's default, as in the "
        "paper, which is the most expensive option in most spaces",
        json_schema_extra={OFFERED: "scaled"},
    )


class RandomSearchOptions(Options):
    """Random search: draw feasible networks uniformly, each at most once, as a baseline for the other algorithms."""

    kind: Literal["random"] = "random"


class FitnessOptions(Options):
    """The value that evolution and PPO maximise."""

    objective: Literal["feasible", "mnas"] = Field(
        "feasible",
        title="Maximise",
        description="feasible: the score, of feasible networks only; mnas: score * (cost / upper limit)^-0.07, "
        "more expensive networks are tried but never reported (scores must be positive)",
    )


class RegularisedEvolutionOptions(FitnessOptions):
    """Regularised evolution: the winner of a tournament is mutated in one layer and replaces the oldest network."""

    kind: Literal["regularised_evolution"] = "regularised_evolution"
    population: int = Field(50, ge=1, le=10_000, title="Population")
    tournament: int = Field(
        10, ge=1, le=10_000, title="Tournament", description="number of networks drawn; the best of them is mutated"
    )


class LocalSearchOptions(Options):
    """Local search: moves from a random network to better ones that differ in one layer, and restarts."""

    kind: Literal["local_search"] = "local_search"
    move: Literal["first", "best"] = Field(
        "first", title="Move to", description="the first better neighbour, or the best one after all are scored"
    )


class DynamicProgrammingOptions(Options):
    """Dynamic programming (Algorithm 2): every option of a layer is tried on every stored network, layer by layer."""

    kind: Literal["dynamic_programming"] = "dynamic_programming"
    bucketing: Literal["cost", "unique"] = Field(
        "cost",
        title="Buckets",
        description="cost: equation 4; unique: every network is kept, so all networks are tried",
    )
    buckets: int = Field(100, ge=1, le=10_000, title="Buckets per layer (H)")
    replicas: int = Field(1, ge=1, le=1_000, title="Networks per bucket (k)")
    child_order: Literal["random", "listed", "cost"] = Field(
        "listed", title="Order of children", description="order in which a network's children are scored"
    )


class PPOOptions(FitnessOptions):
    """Proximal policy optimisation: networks are drawn from a policy that learns which options score well."""

    kind: Literal["ppo"] = "ppo"
    train_batch: int = Field(16, ge=2, le=1_024, title="Train batch", description="scored networks per feedback")
    update_batch: int = Field(8, ge=1, le=1_024, title="Update batch", description="networks per update")
    updates: int = Field(10, ge=1, le=1_000, title="Updates per feedback")
    learning_rate: float = Field(0.05, gt=0, le=1, title="Learning rate")


class MoteNASOptions(Options):
    """MOTE-NAS: many cheap estimates select a few finalists, which are trained; the best validation accuracy wins."""

    kind: Literal["mote_nas"] = "mote_nas"
    rule: Literal["published", "guided"] = Field(
        "guided",
        title="Rule",
        description="published: rounds as in the paper, then the k best by the estimate; guided: each finalist is "
        "chosen by the results of the finalists before it",
    )
    sampling: Literal["mutation", "random"] = Field(
        "mutation", title="New networks", description="mutation: near the best ones; random: anywhere (MOTE-NAS-RS)"
    )
    pool: int = Field(
        20, ge=1, le=100_000, title="Pool", description="guided: networks estimated before the first finalist"
    )
    scouts: int = Field(
        8, ge=0, le=1_000, title="Scouts", description="guided: new networks estimated for each finalist"
    )
    together: int = Field(
        2,
        ge=1,
        le=1_000,
        title="Finalists at once",
        description="guided: number of finalists chosen before their accuracies are used",
    )


AlgorithmOptions = Annotated[
    LayerNASOptions
    | DynamicProgrammingOptions
    | RegularisedEvolutionOptions
    | PPOOptions
    | LocalSearchOptions
    | MoteNASOptions
    | RandomSearchOptions,
    Field(discriminator="kind"),
]
