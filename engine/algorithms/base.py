"""Ask and tell: what the rest of the house knows of a search algorithm.

The public methods validate and count; an algorithm fills the private twins. Proposals are numbered 0, 1, 2, ... in
the order they are asked. Whatever an algorithm proposes next depends only on its options, its seed and the outcomes
told so far: random draws come from ``Random(f"{seed}:{number}")``, so no generator state is saved. Callers ask for a
round, score it anywhere and tell its outcomes in any order: they change nothing until everything pending has been
told, and then count in the order of the proposals.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from random import Random
from typing import Any

from engine.config.base import Options
from engine.errors import ArchitectureError, StateMismatch, UnknownProposal
from engine.problem import SearchProblem
from engine.space import Architecture


@dataclass(frozen=True)
class Proposal:
    """A network to score. ``layer`` counts from 0; ``parent`` is the number of the proposal it was derived from."""

    number: int
    architecture: Architecture
    origin: str
    layer: int | None = None
    bucket: int | None = None
    parent: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a proposal: its score (higher is better), or None when it could not be scored."""

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


class SearchAlgorithm(ABC):
    """Base of all algorithms."""

    kind: str
    options: Options

    def __init__(self, options: Options, problem: SearchProblem, seed: int) -> None:
        self.options = options
        self.problem = problem
        self.space = problem.space
        self.seed = seed
        self.asked = 0
        self._pending: dict[int, Proposal] = {}
        self._failed: dict[int, Proposal] = {}
        self._told: list[tuple[Proposal, float | None]] = []

    # --- public ------------------------------------------------------------------------------------------------
    @property
    def pending(self) -> Mapping[int, Proposal]:
        """Proposals asked and not yet told, by number."""
        return self._pending

    @property
    def done(self) -> bool:
        """Nothing is pending and nothing is left to propose."""
        return not self._pending and self._exhausted()

    def ask(self, count: int) -> list[Proposal]:
        """Up to ``count`` new proposals; an empty list means: tell first, or done."""
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._propose(self.asked)) is not None:
            self.asked += 1
            self._pending[proposal.number] = proposal
            proposals.append(proposal)
        return proposals

    def tell(self, outcome: Outcome) -> None:
        """Takes the outcome of a pending proposal, or the late score of one that had failed before a retry.

        A score that is no finite number counts as a failure.
        """
        proposal = self._pending.pop(outcome.number, None) or self._failed.pop(outcome.number, None)
        if proposal is None:
            raise UnknownProposal(f"proposal {outcome.number} is not pending")
        score = outcome.score if outcome.score is not None and isfinite(outcome.score) else None
        if score is None:
            self._failed[proposal.number] = proposal
        self._told.append((proposal, score))
        if not self._pending:
            told, self._told = self._told, []
            told.sort(key=_number)
            for proposal, score in told:
                self._observe(proposal, score)

    def state_dict(self) -> dict[str, Any]:
        """JSON-ready state; `load_state_dict` of a fresh object with it continues as if nothing had happened."""
        return {
            **self._identity(),
            "asked": self.asked,
            "pending": [self._dump(self._pending[number]) for number in sorted(self._pending)],
            "failed": [self._dump(self._failed[number]) for number in sorted(self._failed)],
            "told": [[self._dump(proposal), score] for proposal, score in sorted(self._told, key=_number)],
            "state": self._dump_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes a state of the same search; StateMismatch leaves the object as it was."""
        mine = self._identity()
        differing = [key for key, value in mine.items() if not isinstance(state, Mapping) or state.get(key) != value]
        if differing:
            raise StateMismatch(f"the saved state belongs to another search: {', '.join(differing)} differ")
        before = self.__dict__.copy()
        try:
            pending = [self._load(p) for p in state["pending"]]
            failed = [self._load(p) for p in state["failed"]]
            self.asked = int(state["asked"])
            self._pending = {p.number: p for p in pending}
            self._failed = {p.number: p for p in failed}
            self._told = [(self._load(row), None if score is None else float(score)) for row, score in state["told"]]
            self._load_state(state["state"])
        except (ArchitectureError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise StateMismatch(f"the saved state cannot be read: {error!r}") from error

    def bound(self) -> int | None:
        """Upper bound on the number of trials (section 4.2); None when there is none below the space's size."""
        return None

    def buckets(self) -> list[BucketView]:
        """The buckets in use, by layer and index; empty for algorithms without buckets."""
        return []

    def rng(self, number: int, purpose: str = "") -> Random:
        """The generator that belongs to one proposal."""
        return Random(f"{self.seed}:{number}:{purpose}" if purpose else f"{self.seed}:{number}")

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a saved state to be continued."""
        return {
            "kind": self.kind,
            "space": self.space.content_hash,
            "seed": self.seed,
            "options": self.options.model_dump(mode="json"),
            "objective": self.problem.objective.model_dump(mode="json"),
        }

    # --- private twins ------------------------------------------------------------------------------------------
    @abstractmethod
    def _propose(self, number: int) -> Proposal | None:
        """The next proposal, or None when an outcome is needed first or nothing is left."""

    @abstractmethod
    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Learns an outcome, None for a failure; called in the order of the proposals while nothing is pending."""

    @abstractmethod
    def _exhausted(self) -> bool:
        """Whether nothing more could be proposed even if every pending outcome were known to fail."""

    @abstractmethod
    def _dump_state(self) -> Any:
        """What `_load_state` needs, JSON-ready."""

    @abstractmethod
    def _load_state(self, state: Any) -> None:
        """Inverse of `_dump_state`; must build new containers, so that a failure leaves the old ones as they were."""

    def _load(self, row: Mapping[str, Any]) -> Proposal:
        fields = dict(row)
        architecture = self.space.architecture(fields.pop("choices"))
        return Proposal(architecture=architecture, **fields)

    @staticmethod
    def _dump(proposal: Proposal) -> dict[str, Any]:
        row = asdict(proposal)
        row["choices"] = list(row.pop("architecture")["choices"])
        return row


def _number(told: tuple[Proposal, float | None]) -> int:
    return told[0].number
