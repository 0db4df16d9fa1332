"""What an estimate declares of itself: the base of all estimates' options."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from engine.config.base import Options
from engine.sources import Source

if TYPE_CHECKING:
    from engine.config.estimators import MoteOptions


class EstimateOptions(Options):
    """Base of all estimates' options; its class attributes declare what an estimate is, for everyone who asks."""

    needs_images: ClassVar[bool] = True
    """Whether networks are built and shown images; if not, a search needs no data."""
    looks_up: ClassVar[bool] = False
    """Whether scores are looked up in a `source`, which is quicker than handing them to another process."""
    in_percent: ClassVar[bool] = False
    """Whether scores are, or may be, accuracies in percent."""
    has_mote_parts: ClassVar[bool] = False
    """Whether the terms and curves of a score are MOTE's and are stored as such."""
    joint: ClassVar[str] = ""
    """The name in `engine.calibration.JOINTS` of the joint that scores are read with; empty where there is none.

    The score stands under the same name among an estimate's terms.
    """
    recipe: ClassVar[int] = 1
    """Counted up whenever the same options give other scores than before: scores kept from older recipes are void."""
    later: ClassVar[frozenset[str]] = frozenset()
    """Options that older scores do not know: at their defaults they are no part of an estimate's identity."""

    @cached_property
    def source(self) -> Source | None:
        """The table or surrogate that scores are looked up in; None for an estimate that looks nothing up."""
        return None

    @property
    def seconds_carry_over(self) -> bool:
        """Whether the seconds of a trial depend so little on the space that those measured on another one hold."""
        return False

    def identifying(self) -> dict[str, Any]:
        """Return all options that a score depends on besides the seed, JSON-ready."""
        fields = type(self).model_fields
        unset = {name for name in self.later if getattr(self, name) == fields[name].default}
        return self.model_dump(mode="json", exclude={"seed", "table", "path", *unset})

    def like_mote(self) -> Sequence[MoteOptions]:
        """Return the MOTE runs whose measured seconds a forecast is best scaled from, most similar first."""
        return ()

    def beside(self, folder: Path) -> Self:
        """Return the same estimate with a relative path of a file counted from the folder."""
        return self
