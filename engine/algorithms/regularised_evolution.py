"""Regularised evolution (Real et al., "Regularized Evolution for Image Classifier Architecture Search", 2019).

First the population is filled with random networks. Then the best network of a random tournament is mutated in one
layer, and each new member replaces the oldest one, however good the oldest is. A mutant that was scored before enters
with its known score and is not proposed again. When `ATTEMPTS` mutants contain no new network, a random new network is
proposed instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from engine.algorithms.fitness import Fitness
from engine.algorithms.neighbours import mutated
from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch, Scored
from engine.config.algorithms import RegularisedEvolutionOptions
from engine.problem import SearchProblem
from engine.space import Choices

ATTEMPTS = 100


class RegularisedEvolution(SamplingSearch):
    """Evolution that always removes the oldest member; failed networks never enter the population."""

    kind = "regularised_evolution"
    rescorable = True
    options: RegularisedEvolutionOptions

    def __init__(self, options: RegularisedEvolutionOptions, problem: SearchProblem, seed: int) -> None:
        self._fitness = Fitness(options.objective, problem)
        super().__init__(options, problem, seed, self._fitness.admitted)
        self._population: deque[Scored] = deque(maxlen=options.population)
        self._scored: dict[Choices, Scored] = {}

    def _propose(self, number: int) -> Proposal | None:
        missing = self.options.population - len(self._population)
        if missing > 0:
            return self._random(number) if len(self._pending) < missing else None
        rng = self.rng(number, "evolution")
        for _ in range(ATTEMPTS):
            tournament = rng.sample(self._population, min(self.options.tournament, len(self._population)))
            parent = max(tournament, key=lambda member: member.value)
            layer, choices = mutated(self.space, parent.choices, rng)
            if self._networks.open(choices):
                return self._new(number, choices, "mutation", layer, parent.number)
            if known := self._scored.get(choices):
                self._population.append(known)
        return self._random(number)

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        value = None if score is None else self._fitness(proposal.architecture, score)
        if value is not None:
            member = Scored(proposal.number, value, proposal.architecture.choices)
            self._scored[member.choices] = member
            self._population.append(member)

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Give the members of the population their new values."""
        for proposal, score in networks:
            choices = proposal.architecture.choices
            value = self._fitness(proposal.architecture, score)
            if value is not None and choices in self._scored:
                self._scored[choices] = Scored(proposal.number, value, choices)
        self._population = deque((self._scored[m.choices] for m in self._population), self._population.maxlen)

    def _dump_state(self) -> dict[str, Any]:
        return {
            **super()._dump_state(),
            "scored": list(map(list, self._scored.values())),
            "population": [member.choices for member in self._population],
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        super()._load_state(state)
        self._scored = {member.choices: member for member in (Scored.of(*row) for row in state["scored"])}
        members = [self._scored[tuple(choices)] for choices in state["population"]]
        self._population = deque(members, maxlen=self.options.population)
