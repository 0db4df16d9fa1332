"""Where an estimate looks its scores up: which row, file or surrogate it needs, whether that is there, and opening it.

Nothing here imports torch; tables and surrogates are imported when one is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from engine.dotted import load
from engine.errors import ConfigError

if TYPE_CHECKING:
    from engine.table import Table
    from engine.tabular.nasbench301 import AccuracySurrogate

Opened: TypeAlias = "Table | AccuracySurrogate"
"""What scores are looked up in; its ``content_hash`` identifies the content."""


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table that an estimate reads; None where it reads no such column.

    ``reward`` is the score, ``cost`` the metric table_cost, ``truth`` is reported only, and ``seconds``, multiplied by
    ``seconds_factor``, is what a trial is charged.
    """

    reward: str
    cost: str | None = None
    truth: str | None = None
    seconds: str | None = None
    seconds_factor: float = 1.0


@dataclass(frozen=True)
class Source:
    """A table: the uploaded one with the number ``row``, the file at ``path``, or the ``official`` benchmark's.

    Exactly one of the three is given; ValueError otherwise. Complaints belong to the estimate's option ``field``.
    """

    reader: ClassVar[str] = "engine.table:Table"
    """The class that reads what lies at the place; its ``open`` takes the place."""
    field: str
    columns: TableColumns | None = None
    row: int | None = None
    path: str | None = None
    official: str | None = None

    def __post_init__(self) -> None:
        if (self.row, self.path, self.official).count(None) != 2:
            raise ValueError("name either an uploaded table or a file")

    def find(self, folder: Path) -> Path | None:
        """Return the place of a file or an official benchmark, or None where the official one is not ready.

        ``folder`` holds the official benchmarks. ConfigError (``estimator...``) when the path names nobody's home.
        """
        if self.path is None:
            place = converted(folder, str(self.official))
            return place if place.exists() else None
        try:
            return Path(self.path).expanduser()
        except RuntimeError as error:
            message = "There is no such user's home (~); write the whole path."
            raise ConfigError.at(f"estimator.{self.field}", message) from error

    def open(self, place: Path) -> Opened:
        """Read what lies at the place; DataError says what is wrong with it."""
        opened: Opened = load(self.reader).open(place)
        return opened


@dataclass(frozen=True)
class SurrogateSource(Source):
    """NAS-Bench-301's surrogate; ``version`` is that of the authors' models."""

    reader: ClassVar[str] = "engine.tabular.nasbench301:AccuracySurrogate"
    version: str = ""

    def find(self, folder: Path) -> Path | None:
        """Return the surrogate's folder, or None where the models or the package xgboost are missing."""
        place: Path | None = load("engine.tabular.nasbench301:usable")(folder, self.version)
        return place


def converted(folder: Path, name: str) -> Path:
    """Return where the table made of an official benchmark is kept, whether it exists or not."""
    return folder / f"{name}.parquet"
