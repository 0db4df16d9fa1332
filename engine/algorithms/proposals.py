"""What passes between a search algorithm and the rest of the code: proposals, outcomes, and buckets to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.space import Architecture


class Proposal(NamedTuple):
    """A network to score. ``layer`` counts from 0; ``parent`` is the number of the proposal it was derived from.

    The search's estimate scores stage 0. The final estimate scores stage 1, where ``parent`` is the proposal that tried
    the network first.
    """

    number: int
    architecture: Architecture
    origin: str
    layer: int | None = None
    bucket: int | None = None
    parent: int | None = None
    stage: int = 0


@dataclass(frozen=True)
class Outcome:
    """The score of a proposal (higher is better), or None if it could not be scored."""

    number: int
    score: float | None


@dataclass(frozen=True)
class Resident:
    """A network kept in a bucket: the proposal that scored it, and its score."""

    number: int
    score: float


@dataclass(frozen=True)
class BucketView:
    """One bucket as the page shows it: cost interval ``[low, high)`` in the objective's metric, best resident first."""

    layer: int
    index: int
    low: float
    high: float
    residents: tuple[Resident, ...]
    inserted: int
    evicted: int
