"""What an estimate of an architecture's quality is, and what estimators promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.space import Architecture
from engine.stopping import Stop, never


@dataclass(frozen=True)
class Estimate:
    """One scored architecture, or the reason why it has no score.

    ``score``: higher is better; None exactly when ``error`` says in words why. ``terms``: named parts and side results
    (``landscape``, ``speed``, ``valid_accuracy`` in percent, ``truth``); names include the split. ``curves``: named
    series for plots (``epoch_losses``, ``landscape_losses``). ``setup``: the network, data and steps that the score
    comes from, each in words under a name for people. ``seconds``: how long the trial took; a budget in seconds is
    charged this number. ``fidelity`` names how thorough the run was.
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
    """Scores architectures. `engine.registry.create_estimator` makes one per process, which is reused."""

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one `Estimate` for each item, in order.

        A failure of one architecture becomes an Estimate with ``error``. ``stop`` is called between items and every few
        training steps, and `engine.errors.Stopped` is raised when it is true. The same items, seed and fidelity give
        the same scores, alone or in any batch, except with a wall-clock time model.
        """

    def seconds(self, item: Architecture) -> float | None:
        """Return the seconds that the trial will be charged, or None if they are not known beforehand."""
