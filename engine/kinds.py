"""What a registry entry holds: the label of a kind, the model of its options, and where its implementation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.config.base import Options
from engine.config.estimate import EstimateOptions
from engine.dotted import load


@dataclass(frozen=True)
class Kind:
    """One choice of a form: its label, the model of its options, and the path of its implementation."""

    label: str
    options: type[Options]
    path: str

    def load(self) -> Any:
        """Return the implementation (a class), imported now."""
        return load(self.path)


@dataclass(frozen=True)
class EstimateKind(Kind):
    """An estimate; its options declare what it is. Paths that are empty stand for functions that it does without.

    ``effort``: how long it trains a network (`engine.effort`), called with options and numbers of training and of
    validation images. ``check``: refuses what it cannot score, and otherwise returns a remark for people or nothing;
    called with options, space, `engine.estimate.Images` or None, and what is looked up in. ``network``: which network
    it trains, in words; called with options and space. None of the three imports torch.
    """

    options: type[EstimateOptions]
    effort: str = ""
    check: str = ""
    network: str = ""
