"""Ask and tell: the interface of every search algorithm.

The public methods validate and count, and an algorithm implements their private twins. Proposals are numbered
0, 1, 2, ... in the order they are asked. What an algorithm proposes next depends only on its options, its seed and the
outcomes told so far: random draws come from ``Random(f"{seed}:{number}")``, so no generator state is saved. Callers ask
for a round, score it anywhere and tell its outcomes in any order. The outcomes take effect once everything pending has
been told, in the order of the proposals.

Proposals of stage 0 are networks to try. Proposals of stage 1 are finalists: networks tried before that are scored
again by a further estimate (`engine.algorithms.finalists`). The caller chooses the stage of every round
(`engine.rounds`), because the budget decides it and not the algorithm.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import isfinite
from random import Random
from typing import Any

from engine.algorithms.finalists import Finalists, Leaders
from engine.algorithms.proposals import BucketView, Outcome, Proposal
from engine.config.base import Options
from engine.errors import ArchitectureError, EngineError, StateMismatch, UnknownProposal
from engine.problem import SearchProblem


class SearchAlgorithm(ABC):
    """The base class of all algorithms."""

    kind: str
    options: Options
    rescorable = False
    """True if `rescore` is supported; the scores of other algorithms keep the scale they began with."""

    def __init__(self, options: Options, problem: SearchProblem, seed: int) -> None:
        self.options = options
        self.problem = problem
        self.space = problem.space
        self.seed = seed
        self.asked = 0
        self._pending: dict[int, Proposal] = {}
        self._failed: dict[int, Proposal] = {}
        self._told: list[tuple[Proposal, float | None]] = []
        self._weighs = problem.objective.size_exponent > 0
        self._finalists: Finalists | None = None
        self._finalist_count = 0
        self._given_up = 0

    # --- public ------------------------------------------------------------------------------------------------
    @property
    def pending(self) -> Mapping[int, Proposal]:
        """The proposals asked and not yet told, by number."""
        return self._pending

    @property
    def done(self) -> bool:
        """Return whether nothing is pending and no network is left to try; finalists may be left."""
        return not self._pending and not self._given_up and self._exhausted()

    @property
    def cut_short(self) -> bool:
        """Return whether the budget ended while networks were left to try."""
        return self._given_up > 0

    def expect_finals(self, count: int) -> None:
        """Prepare to name up to ``count`` finalists; called before anything is asked."""
        self._finalist_count = count
        self._finalists = self.choose_finalists(count)

    def choose_finalists(self, count: int) -> Finalists:
        """Return the rule that names finalists: the leaders by worth. Override it for another rule."""
        return Leaders(self.problem, count)

    def ask(self, count: int, stage: int = 0) -> list[Proposal]:
        """Return up to ``count`` new proposals of a stage; none if outcomes are needed first or nothing is left."""
        propose = self._propose_final if stage else self._propose
        if self._given_up and not stage:
            return []
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := propose(self.asked)) is not None:
            self.asked += 1
            self._pending[proposal.number] = proposal
            proposals.append(proposal)
        return proposals

    def tell(self, outcome: Outcome) -> None:
        """Take the outcome of a pending proposal, or the late score of a proposal that failed before a retry.

        A score that is not a finite number counts as a failure. Raises UnknownProposal if no proposal
        with that number is pending or has failed.
        """
        proposal = self._pending.pop(outcome.number, None) or self._failed.pop(outcome.number, None)
        if proposal is None:
            raise UnknownProposal(f"proposal {outcome.number} is not pending")
        score = outcome.score if outcome.score is not None and isfinite(outcome.score) else None
        if score is None:
            self._failed[proposal.number] = proposal
        self._told.append((proposal, score))
        if not self._pending:
            self._observe_told()

    def abandon(self) -> None:
        """Give up all pending proposals, because the budget does not cover them; networks are not asked any more."""
        if self._pending:
            self._given_up += len(self._pending)
            self.asked = min(self._pending)
            self._pending = {}
            self._observe_told()

    def rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Replace the scores of all networks scored so far, given in the order of their proposals.

        This is for an estimate that was calibrated again; no network is tried again. Raises EngineError if something is
        pending or the algorithm does not support it.
        """
        if not self.rescorable or self._pending:
            raise EngineError("scores change between rounds only, and only where the algorithm can take it")
        worth = [(p, self.problem.merit(p.architecture, score) if self._weighs else score) for p, score in networks]
        if self._finalists is not None:
            self._finalists.rescore(worth)
        self._rescore(worth)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, ready for JSON; a fresh object that loads it continues as this one would."""
        return {
            **self._identity(),
            "asked": self.asked,
            "pending": [self._dump(self._pending[number]) for number in sorted(self._pending)],
            "failed": [self._dump(self._failed[number]) for number in sorted(self._failed)],
            "told": [[self._dump(proposal), score] for proposal, score in sorted(self._told, key=_number)],
            "state": self._dump_state(),
            "finalists": None if self._finalists is None else self._finalists.dump(),
            "abandoned": self._given_up or None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state of the same search; StateMismatch leaves the object as it was."""
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
            self._given_up = int(state.get("abandoned") or 0)
            if self._finalists is not None:
                self._finalists = self.choose_finalists(self._finalist_count)
                self._finalists.load(state["finalists"])
            self._load_state(state["state"])
        except (ArchitectureError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise StateMismatch(f"the saved state cannot be read: {error!r}") from error

    def bound(self) -> int | None:
        """Return an upper bound on the number of trials (LayerNAS 4.2), or None if only the space's size bounds it."""
        return None

    def buckets(self) -> list[BucketView]:
        """Return the buckets in use, by layer and index; none for algorithms without buckets."""
        return []

    def bucket_edges(self) -> list[list[float]]:
        """Return the edges of each layer's cost buckets in the objective's metric, in the order of `searched_layers`.

        Algorithms without buckets return an empty list.
        """
        return []

    def searched_layers(self) -> Sequence[int]:
        """Return the space's layers in the order in which they are searched."""
        return range(self.space.depth)

    def rng(self, number: int, purpose: str = "") -> Random:
        """Return the random generator of one proposal and purpose."""
        return Random(f"{self.seed}:{number}:{purpose}" if purpose else f"{self.seed}:{number}")

    def _identity(self) -> dict[str, Any]:
        """Return what must be equal for a saved state to be continued."""
        finalists = {"finalist_count": self._finalist_count} if self._finalist_count else {}
        return {
            **finalists,
            "kind": self.kind,
            "space": self.space.content_hash,
            "seed": self.seed,
            "options": self.options.model_dump(mode="json"),
            "objective": self.problem.objective.model_dump(mode="json"),
        }

    def _observe_told(self) -> None:
        """Observe the told outcomes in the order of the proposals."""
        told = self._told
        self._told = []
        told.sort(key=_number)
        for proposal, score in told:
            if proposal.stage:
                assert self._finalists is not None
                assert proposal.parent is not None
                self._finalists.settle(proposal.parent, score)
                continue
            if self._weighs and score is not None:
                score = self.problem.merit(proposal.architecture, score)
            if self._finalists is not None and score is not None:
                self._finalists.learn(proposal, score)
            self._observe(proposal, score)

    def _propose_final(self, number: int) -> Proposal | None:
        chosen = None if self._finalists is None else self._finalists.next()
        if chosen is None:
            return None
        parent, architecture = chosen
        return Proposal(number, architecture, "final", parent=parent, stage=1)

    # --- private twins ------------------------------------------------------------------------------------------
    @abstractmethod
    def _propose(self, number: int) -> Proposal | None:
        """Return the next proposal, or None if an outcome is needed first or nothing is left."""

    @abstractmethod
    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Learn an outcome, None for a failure; called in the order of the proposals while nothing is pending."""

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:  # noqa: B027
        """Private twin of `rescore`; a rescorable algorithm that remembers no scores does nothing."""

    @abstractmethod
    def _exhausted(self) -> bool:
        """Return whether nothing more could be proposed even if every pending proposal failed."""

    @abstractmethod
    def _dump_state(self) -> Any:
        """Return what `_load_state` needs, ready for JSON."""

    @abstractmethod
    def _load_state(self, state: Any) -> None:
        """Restore what `_dump_state` returned, into new containers so that a failure leaves the old ones unchanged."""

    def _load(self, row: Mapping[str, Any]) -> Proposal:
        fields = dict(row)
        architecture = self.space.architecture(fields.pop("choices"))
        return Proposal(architecture=architecture, **fields)

    @staticmethod
    def _dump(proposal: Proposal) -> dict[str, Any]:
        row = proposal._asdict()
        row["choices"] = list(row.pop("architecture").choices)
        return row


def _number(told: tuple[Proposal, float | None]) -> int:
    return told[0].number
