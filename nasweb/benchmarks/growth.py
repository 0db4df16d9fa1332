"""A search that grows at a chosen rate: LayerNAS proposes, a synthetic quality scores, and the services record.

Only the training is left out; candidates, evaluations, buckets and events are those that a worker would have written.
"""

from __future__ import annotations

import math
import time
from datetime import timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.algorithms.proposals import Outcome
from engine.config.search import SearchConfig
from engine.estimate import Estimate
from engine.registry import create_algorithm
from engine.rounds import BudgetMeter, Rounds
from engine.space import Architecture
from searches import events
from searches.models import Search
from searches.services import algorithm_state, creation, proposals, recording
from searches.services.lifecycle import change
from searches.services.proposals import Asked
from searches.services.resolving import resolve_search

LAYERS = 10
ROUND_SIZE = 50
BATCH = 500
FAILING = 0.002
CLAIM = "bench"
BLOCKS = {
    "conv": {"block": "conv", "kernel": [3, 5], "width": [16, 24, 32]},
    "sep": {"block": "separable_conv", "kernel": [3, 5], "width": [16, 24, 32]},
}


class Growth:
    """One running search of the owner; it is claimed, so that no worker of the product advances it."""

    def __init__(self, owner: Any, evaluations: int, seed: int = 7) -> None:
        config = SearchConfig.parse(
            {
                "name": f"{evaluations:,} candidates",
                "space": {"kind": "chain", "definition": _definition()},
                "dataset": {"kind": "digits"},
                "algorithm": {"kind": "layernas", "buckets": 60, "replicas": 40},
                "estimator": {"kind": "mote"},
                "objective": {"cost_metric": "madds_m"},
                "budget": {"evaluations": evaluations},
                "round_size": ROUND_SIZE,
                "seed": seed,
            }
        )
        self.rng = Random(f"growth:{seed}")
        with transaction.atomic():
            self.search = creation.create(owner, config)
            claim = {"advance_token": CLAIM, "advance_until": timezone.now() + timedelta(days=1)}
            Search.objects.filter(pk=self.search.pk).update(**claim)
            self.search.refresh_from_db()
            change(self.search, Search.Status.RUNNING)
        self.resolved = resolve_search(self.search)
        algorithm = create_algorithm(config.algorithm, self.resolved.problem, seed)
        self.copy = algorithm_state.Copy(Rounds(algorithm, ROUND_SIZE), self.search.epoch)
        self.effects = [[self.rng.gauss(0, 1) for _ in range(100)] for _ in range(LAYERS)]

    def grow(self, candidates: int) -> int:
        """Ask, score and write up to ``candidates`` candidates in transactions of `BATCH`; return their number."""
        asked = 0
        while asked < candidates:
            more = self._batch(min(BATCH, candidates - asked))
            if not more:
                break
            asked += more
        return asked

    def burst(self, per_second: int, seconds: float) -> int:
        """Grow at a steady rate in steps of a tenth of a second; return the number of candidates written."""
        begun = time.monotonic()
        written = 0
        while (passed := time.monotonic() - begun) < seconds:
            due = int(per_second * min(passed + 0.1, seconds)) - written
            written += self.grow(due) if due > 0 else 0
            time.sleep(max(0.0, 0.1 - (time.monotonic() - begun - passed)))
        return written

    def finish(self) -> None:
        """End the search in the way that a spent budget does."""
        with transaction.atomic():
            change(self.search, Search.Status.FINISHED, f"budget of {self.search.asked} evaluations spent")

    def _batch(self, size: int) -> int:
        rounds = self.copy.rounds
        rounds.meter = BudgetMeter(evaluations=size)
        asked: list[Asked] = []
        told = []
        while proposed := rounds.ask():
            estimates = [self._estimate(proposal.architecture) for proposal in proposed]
            outcomes = []
            for proposal, estimate in zip(proposed, estimates, strict=True):
                rounds.charge(proposal, estimate.seconds)
                asked.append(Asked(rounds.told, proposal, estimate))
                outcomes.append(Outcome(proposal.number, estimate.score))
            scored = sum(outcome.score is not None for outcome in outcomes)
            told.append(events.round_told(rounds.told, len(outcomes), scored))
            rounds.tell(outcomes)
        with transaction.atomic():
            search = self.search = Search.objects.select_for_update().get(pk=self.search.pk)
            candidates = proposals.write(search, self.resolved, asked)
            search.rounds = rounds.told
            search.save(update_fields=["rounds", *recording.COUNTERS])
            algorithm_state.save_buckets(search, self.copy)
            events.record(search, [*recording.entries(candidates), *told])
        return len(asked)

    def _estimate(self, architecture: Architecture) -> Estimate:
        """Return a score that grows with the logarithm of the cost, plus an effect per choice and noise.

        A few networks fail, as trainings do.
        """
        if self.rng.random() < FAILING:
            return Estimate(None, error="the loss is not a number after 3 steps", seconds=0.4)
        cost = self.resolved.problem.cost(architecture)
        effect = sum(layer[choice] for layer, choice in zip(self.effects, architecture.choices, strict=True))
        score = 70 + 9 * math.log10(cost + 0.05) + 0.9 * effect + self.rng.gauss(0, 0.6)
        return Estimate(score, terms={"valid_accuracy": min(100.0, score)}, seconds=self.rng.lognormvariate(0.2, 0.3))


def _definition() -> dict[str, Any]:
    layers = [{"name": f"layer {i + 1}", "stride": 2 if i in (3, 7) else 1, "options": BLOCKS} for i in range(LAYERS)]
    return {"name": "ten layers", "stem": {"width": 16}, "layers": layers}
