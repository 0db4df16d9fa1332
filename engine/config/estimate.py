"""The base of all estimates' options, in which an estimate declares its properties."""

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
    """Base of all estimates' options; other modules read an estimate's properties from its class attributes."""

    needs_images: ClassVar[bool] = True
    """Whether networks are built and run on images; if not, a search needs no data."""
    looks_up: ClassVar[bool] = False
    """Whether scores are looked up in a `source`, which is quicker than handing them to another process."""
    in_percent: ClassVar[bool] = False
    """Whether scores are, or may be, accuracies in percent."""
    has_mote_parts: ClassVar[bool] = False
    """Whether the terms and curves of a score are MOTE's and are stored as such."""
    joint: ClassVar[str] = ""
    """The name in `engine.calibration.JOINTS` of the joint score that combines an estimate's terms; empty if none does.

    The score is stored under the same name among the terms.
    """
    recipe: ClassVar[int] = 1
    """A number that is raised when the same options give other scores than before; older kept scores are not reused."""
    later: ClassVar[frozenset[str]] = frozenset()
    """Names of options added later; at its default an option does not change the identity, so older scores hold."""

    @cached_property
    def source(self) -> Source | None:
        """The table or surrogate that scores are looked up in; None for an estimate that looks nothing up."""
        return None

    @property
    def seconds_carry_over(self) -> bool:
        """Whether seconds measured on another space are a good forecast, because the space hardly affects them."""
        return False

    def identifying(self) -> dict[str, Any]:
        """Return, ready for JSON, the options that a score depends on, except the seed and the place of a table."""
        fields = type(self).model_fields
        unset = {name for name in self.later if getattr(self, name) == fields[name].default}
        return self.model_dump(mode="json", exclude={"seed", "table", "path", *unset})

    def like_mote(self) -> Sequence[MoteOptions]:
        """Return the MOTE options whose measured seconds are the best base of a forecast, most similar first."""
        return ()

    def beside(self, folder: Path) -> Self:
        """Return the same estimate; if it names a file by a relative path, that path is resolved from the folder."""
        return self
