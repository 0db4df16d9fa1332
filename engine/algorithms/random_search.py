"""Random search: random feasible networks, none twice; the baseline that every other algorithm must beat."""

from __future__ import annotations

from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch


class RandomSearch(SamplingSearch):
    """Random search; proposals depend only on the seed, never on outcomes."""

    kind = "random"
    rescorable = True

    def _propose(self, number: int) -> Proposal | None:
        return self._random(number)

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Do nothing: outcomes do not change the proposals."""
