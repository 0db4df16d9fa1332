"""Proximal policy optimisation (Schulman et al., "Proximal Policy Optimization Algorithms", 2017) of a `Policy`.

Networks are drawn from the policy. After every ``train_batch`` scored networks the policy takes ``updates`` steps, each
on ``update_batch`` random networks of that batch. The advantage of a network is its fitness minus the batch's mean,
divided by the batch's standard deviation. There is no critic, because a search has no intermediate states with values
to learn. If a sampled network was proposed before, the policy samples again. When `ATTEMPTS` samples contain no new
network, a random new network is proposed instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np

from engine.algorithms.fitness import Fitness
from engine.algorithms.policy import Policy
from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch
from engine.config.algorithms import PPOOptions
from engine.problem import SearchProblem
from engine.space import Choices

ATTEMPTS = 100


class PPO(SamplingSearch):
    """Policy search; failed networks do not change the policy."""

    kind = "ppo"
    options: PPOOptions

    def __init__(self, options: PPOOptions, problem: SearchProblem, seed: int) -> None:
        self._fitness = Fitness(options.objective, problem)
        super().__init__(options, problem, seed, self._fitness.admitted)
        self._policy = self._fresh_policy()
        self._chances: dict[int, float] = {}
        """Log probabilities of proposed networks without a score; a failed network may still get one."""
        self._batch: list[tuple[Choices, float, float]] = []  # network, log probability when drawn, fitness
        self._feedbacks = 0

    def _fresh_policy(self) -> Policy:
        return Policy(self._fitness.admitted, self.options.learning_rate)

    def _propose(self, number: int) -> Proposal | None:
        rng = self.rng(number, "policy")
        proposal: Proposal | None = None
        for _ in range(ATTEMPTS):
            choices = self._policy.sample(rng)
            if choices is not None and self._networks.open(choices):
                proposal = self._new(number, choices, "policy")
                break
        else:
            proposal = self._random(number)
        if proposal is not None:
            self._chances[number] = float(self._policy.log_chances([proposal.architecture.choices])[0])
        return proposal

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        if score is None:
            return
        chance = self._chances.pop(proposal.number)
        value = self._fitness(proposal.architecture, score)
        if value is not None:
            self._batch.append((proposal.architecture.choices, chance, value))
            if len(self._batch) == self.options.train_batch:
                self._learn()

    def _learn(self) -> None:
        """Improve the policy with the full batch, then empty the batch."""
        networks, before, values = zip(*self._batch, strict=True)
        advantages = np.array(values) - np.mean(values)
        advantages /= max(float(advantages.std()), 1e-9)
        rng = Random(f"{self.seed}:feedback:{self._feedbacks}")
        for _ in range(self.options.updates):
            drawn = rng.sample(range(len(networks)), min(self.options.update_batch, len(networks)))
            self._policy.improve([networks[i] for i in drawn], advantages[drawn], np.array(before)[drawn])
        self._batch = []
        self._feedbacks += 1

    def _dump_state(self) -> dict[str, Any]:
        return {
            **super()._dump_state(),
            "policy": self._policy.dump(),
            "chances": sorted(map(list, self._chances.items())),
            "batch": [[list(choices), chance, value] for choices, chance, value in self._batch],
            "feedbacks": self._feedbacks,
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        super()._load_state(state)
        self._policy = self._fresh_policy()
        self._policy.load(state["policy"])
        self._chances = {int(number): float(chance) for number, chance in state["chances"]}
        self._batch = [(tuple(choices), float(chance), float(value)) for choices, chance, value in state["batch"]]
        self._feedbacks = int(state["feedbacks"])
