"""Estimates from the training losses of a MOTE run (Ru et al. 2021, arXiv 2006.04492: training speed estimates)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.config.estimators import LossCurveOptions, MoteOptions
from engine.datasets.base import ImageData
from engine.estimate import Estimate
from engine.estimators.mote import MoteEstimator
from engine.mote import LOSS_CEILING
from engine.reduction.profiles import PROFILES
from engine.space import Architecture, SearchSpace
from engine.stopping import Stop, never

EMA_DECAY = 0.9


class LossCurveEstimator:
    """MOTE's training, of which only the mean loss of each epoch is used; the score is minus the summary.

    A network whose output does not depend on the image gets the largest loss that MOTE distinguishes, as in MOTE.
    """

    def __init__(
        self, options: LossCurveOptions, space: SearchSpace, data: ImageData | None, table: object = None
    ) -> None:
        self.options = options
        self.training = MoteEstimator(MoteOptions(profile=options.profile, seed=options.seed), space, data, table)

    def estimate_batch(
        self, items: Sequence[Architecture], *, seed: int, fidelity: str = "default", stop: Stop = never
    ) -> list[Estimate]:
        """Return one `Estimate` for each item, in order; ``fidelity`` is as for MOTE."""
        epochs = PROFILES[self.options.profile].epochs
        return [
            self._summarised(estimate, epochs)
            for estimate in self.training.estimate_batch(items, seed=seed, fidelity=fidelity, stop=stop)
        ]

    def seconds(self, item: Architecture) -> float | None:
        """Return None, because the seconds are not known before the training."""
        return None

    def _summarised(self, estimate: Estimate, epochs: int) -> Estimate:
        if estimate.score is None:
            return estimate
        losses = estimate.curves.get("epoch_losses") or [LOSS_CEILING] * epochs
        terms = {name: -value for name, value in summaries(losses, self.options.last_epochs).items()}
        kept = {name: value for name, value in estimate.terms.items() if name in ("connected", "train_seconds")}
        curves = {name: values for name, values in estimate.curves.items() if name == "epoch_losses"}
        return replace(estimate, score=terms[self.options.name], terms={**terms, **kept}, curves=curves)


def summaries(losses: Sequence[float], last_epochs: int = 1) -> dict[str, float]:
    """Return summaries of the mean losses of epochs 1..T by name; smaller is better.

    ``tse`` is their sum, ``tse_e`` the sum of the last ``last_epochs``, ``tse_ema`` the sum of ``0.9^(T - t)`` times
    the loss of epoch t, and ``last_loss`` the last loss.
    """
    count = len(losses)
    return {
        "tse": sum(losses),
        "tse_e": sum(losses[-last_epochs:]),
        "tse_ema": sum(EMA_DECAY ** (count - epoch) * loss for epoch, loss in enumerate(losses, start=1)),
        "last_loss": losses[-1],
    }
