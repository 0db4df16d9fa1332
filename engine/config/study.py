"""The configuration of a study as one document: the same random networks under several estimates and a truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from engine.config.algorithms import RandomSearchOptions
from engine.config.base import Name, Options, field_errors, to_fields
from engine.config.datasets import DatasetOptions
from engine.config.documents import Document
from engine.config.estimators import EstimatorOptions, MoteOptions
from engine.config.search import Budget, SearchConfig
from engine.config.spaces import SpaceOptions
from engine.errors import ConfigError

TRUTH = "truth"


class Arm(Options):
    """One estimate of a study, and its name on plots."""

    label: str = Field("", max_length=100, title="Name")
    estimator: EstimatorOptions = Field(title="Estimate")

    @property
    def name(self) -> str:
        """The label, or else the estimate's kind and the options that were given."""
        given = self.estimator.model_dump(exclude_unset=True, exclude={"kind"})
        parts = [f"{key} {value}" if key != "name" else str(value) for key, value in given.items()]
        return self.label or " ".join([self.estimator.kind, *parts])[:100]


ABLATIONS: Mapping[str, tuple[Arm, ...]] = MappingProxyType(
    {
        "reduced_data": (
            Arm(label="MOTE, RD", estimator=MoteOptions(reduction="labels")),
            Arm(label="MOTE, RD-RS", estimator=MoteOptions(reduction="random")),
            Arm(label="MOTE, full data", estimator=MoteOptions(reduction="none")),
        ),
        "reduced_network": (
            Arm(label="MOTE, reduced network", estimator=MoteOptions(network="reduced")),
            Arm(label="MOTE, full network", estimator=MoteOptions(network="full")),
        ),
        "terms": (Arm(label="MOTE", estimator=MoteOptions()),),
        "skip_connections": (Arm(label="MOTE", estimator=MoteOptions()),),
        "seeds": tuple(Arm(label=f"MOTE, seed {seed}", estimator=MoteOptions(seed=seed)) for seed in range(5)),
    }
)
"""Arms that compare MOTE with and without each of its reductions, its two terms, networks with and without skip
connections, and several seeds. `searches.services.ablations` refuses those that make no sense in a study."""
SKIPS = ("skip", "identity", "residual", "shortcut")
"""Words in the names of operations that pass on their input."""


def is_skip(operation: str) -> bool:
    """Return whether an operation's name says that it is a skip connection."""
    return any(word in operation.lower() for word in SKIPS)


class StudyConfig(Document):
    """Several estimates, the arms, of the same random networks: ranks are compared with a truth and among the arms."""

    first_fields = "space, arms"

    name: Name = ""
    space: SpaceOptions = Field(title="Search space")
    dataset: DatasetOptions | None = Field(None, title="Data", description="not needed when all arms are tables")
    arms: tuple[Arm, ...] = Field((), max_length=30, title="Estimates")
    compare: tuple[Literal["reduced_data", "reduced_network", "terms", "skip_connections", "seeds"], ...] = Field(
        (),
        max_length=5,
        title="Ablations",
        description="arms of MOTE beside those named; reduced_data: RD, RD-RS and full data; reduced_network: the "
        "reduced network (RA) and the full one; terms: landscape, speed and both; skip_connections: networks with and "
        "without them; seeds: five initial weights",
    )
    truth: EstimatorOptions | None = Field(
        None, title="Truth", description="a table's column, or a training; empty: arms are compared with one another"
    )
    networks: int = Field(50, ge=3, le=5_000, title="Networks", description="drawn at random, the same for every arm")
    seed: int = Field(0, ge=0, lt=2**31, title="Seed")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not self.estimates:
            raise ValueError("arms: name at least one estimate, or an ablation")
        if self.compare and self.dataset is None:
            raise ValueError("compare: MOTE trains on images; choose a data set")
        used = [arm.estimator for arm in self.arms] + ([] if self.truth is None else [self.truth])
        if self.dataset is None and any(estimator.needs_images for estimator in used):
            raise ValueError("dataset: an estimate needs images; choose the data")
        names = [arm.name for arm in self.estimates]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None or TRUTH in names:
            raise ValueError(f"arms: two estimates are called '{twice or TRUTH}'; give each its own label")
        if len(names) == 1 and self.truth is None:
            raise ValueError("truth: a single estimate has nothing to be compared with; name a truth or more arms")
        return self

    @property
    def estimates(self) -> tuple[Arm, ...]:
        """The named arms, then those of the ablations that are not among them."""
        compared = dict.fromkeys(arm for name in self.compare for arm in ABLATIONS[name])
        return (*self.arms, *(arm for arm in compared if arm not in self.arms))

    @classmethod
    def _complaints(cls, error: ValidationError, raw: Mapping[str, Any]) -> ConfigError:
        return to_fields(field_errors(error, document=raw), cls.model_fields)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, which `parse` takes back; arms carry their names as labels."""
        document = super().as_dict()
        for arm, row in zip(self.arms, document["arms"], strict=True):
            row["label"] = arm.name
        return document

    def searches(self) -> Iterator[tuple[str, str, SearchConfig]]:
        """Yield the path in this document, the arm and the search of each estimate.

        A random search draws by number and seed alone, so all arms propose the same networks in the same order.
        """
        estimates = [(f"arms.{at}.estimator", arm.name, arm.estimator) for at, arm in enumerate(self.arms)]
        estimates += [("compare", arm.name, arm.estimator) for arm in self.estimates[len(self.arms) :]]
        if self.truth is not None:
            estimates.append((TRUTH, TRUTH, self.truth))
        for path, name, estimator in estimates:
            config = SearchConfig(
                name=f"{self.name or 'study'}: {name}"[:200],
                space=self.space,
                dataset=self.dataset if estimator.needs_images else None,
                algorithm=RandomSearchOptions(),
                estimator=estimator,
                budget=Budget(evaluations=self.networks),
                seed=self.seed,
            )
            yield path, name, config
