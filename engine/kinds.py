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
    """A kind of estimate; its options declare its properties. An empty path means that there is no such function.

    ``effort`` returns how long the estimate trains a network (`engine.effort`). It is called with the options and the
    numbers of training and of validation images. ``check`` raises an error for what the estimate cannot score, and
    otherwise returns a remark for people or an empty text. It is called with the options, the space,
    `engine.estimate.Images` or None, and the opened source of scores or None. ``network`` describes in words which
    network the estimate trains. It is called with the options and the space. None of the three imports torch.
    """

    options: type[EstimateOptions]
    effort: str = ""
    check: str = ""
    network: str = ""
