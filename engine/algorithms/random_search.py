"""Random search: feasible networks, none twice; the baseline every search must beat."""

from __future__ import annotations

from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch


class RandomSearch(SamplingSearch):
    """Proposals depend on the seed alone, never on outcomes."""

    kind = "random"
    rescorable = True

    def _propose(self, number: int) -> Proposal | None:
        return self._random(number)

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Nothing is learned."""
