"""What an estimate of an architecture's quality is, and what estimators promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.space import Architecture
from engine.stopping import Stop as Stop
from engine.stopping import never as never


@dataclass(frozen=True)
class Estimate:
    """One scored architecture, or the reason why it has no score.

    ``score``: higher is better; None exactly when ``error`` says in words why. ``terms``: named parts and side results
    (``landscape``, ``speed``, ``valid_accuracy`` in percent, ``truth``; names carry the split). ``curves``: named
    series for plots (``epoch_losses``, ``landscape_losses``). ``setup``: what was looked at to get the score (network,
    data, steps), each in words under a name for people. ``seconds``: what the trial cost and what a budget in
    seconds is charged. ``fidelity`` names how thorough the run was.
    """

    score: float | None
    terms: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    setup: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = "cpu"
    seed: int = 0
    fidelity: str = "default"
    error: str = ""


@dataclass(frozen=True)
class Images:
    """What is known of a search's images before they are read."""

    class_names: Sequence[str]
    train_count: int


class Estimator(Protocol):
    """Scores architectures; made once a process by `engine.registry.create_estimator` and reused."""

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """One `Estimate` an item, in order.

        What fails for one architecture becomes an Estimate with ``error``; ``stop`` is asked between items and every
        few training steps, and `engine.errors.Stopped` is raised when it is true. The same items, seed and fidelity
        give the same scores, alone or in any batch, unless a wall-clock time model was asked for.
        """

    def seconds(self, item: Architecture) -> float | None:
        """What the trial will be charged, where that is known beforehand (tables); else None."""
