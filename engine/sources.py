"""Sources of scores: which row, file or surrogate an estimate needs, whether it is there, and how it is opened.

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
"""A source in which scores are looked up; its ``content_hash`` identifies the content."""


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table that an estimate reads; a name is None if the estimate reads no such column.

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

    Exactly one of the three is given; ValueError otherwise. Errors are reported at the estimate's option ``field``.
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
        """Return the place of a file or an official benchmark, or None if the official one is not ready.

        ``folder`` holds the official benchmarks. Raises ConfigError (``estimator...``) if the path
        begins with a home folder (``~name``) that cannot be found.
        """
        if self.path is None:
            place = converted(folder, str(self.official))
            return place if place.exists() else None
        try:
            return Path(self.path).expanduser()
        except RuntimeError as error:
            message = "There is no such user's home (~); write the whole path."
            raise ConfigError.at(f"estimator.{self.field}", message) from error

    def open(self, place: Path, *, new: bool = False) -> Opened:
        """Read what lies at the place; DataError says what is wrong with it.

        A file at a ``path`` that a ``new`` configuration names is read strictly (`engine.table.Table.open`).
        """
        reader = load(self.reader)
        opened: Opened = reader.open(place, strict=True) if new and self.path is not None else reader.open(place)
        return opened


@dataclass(frozen=True)
class SurrogateSource(Source):
    """NAS-Bench-301's surrogate; ``version`` is that of the authors' models."""

    reader: ClassVar[str] = "engine.tabular.nasbench301:AccuracySurrogate"
    version: str = ""

    def find(self, folder: Path) -> Path | None:
        """Return the surrogate's folder, or None if the models or the package xgboost are missing."""
        place: Path | None = load("engine.tabular.nasbench301:usable")(folder, self.version)
        return place


def converted(folder: Path, name: str) -> Path:
    """Return where the table made of an official benchmark is kept, whether it exists or not."""
    return folder / f"{name}.parquet"
