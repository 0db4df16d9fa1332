"""Numbers that a table writes as text: ``93.5%`` and ``1,234,567`` are read if no cell leaves a doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PLAIN = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
PERCENT = r"^[-+]?(\d+\.?\d*|\.\d+)\s?%$"
GROUPED = r"^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"
CERTAIN = r",\d{3}[,.]"
"""If a grouped number has this part, its comma separates thousands; ``1,234`` alone may also mean 1.234."""
LIKE = r"^[-+]?[.,]?\d[\d.,'_%\s" + "\u2019]*$"
"""The pattern of a text that may be a number in some notation."""


class Notations:
    """The cells of a column of text, as masks of those that are known and of those in each notation."""

    def __init__(self, cells: pa.Array) -> None:
        import pyarrow.compute as pc

        self.cells = pc.utf8_trim_whitespace(cells)
        self.known = self._mask(r"\S")
        self.plain = self._mask(PLAIN)
        self.percent = self._mask(PERCENT)
        self.grouped = self._mask(GROUPED)

    @property
    def all_percent(self) -> bool:
        """Return whether every known cell ends in a percent sign, and at least one cell is known."""
        return bool(self.percent.any() and (self.percent == self.known).all())

    @property
    def all_numbers(self) -> bool:
        """Return whether all known cells are plain or grouped numbers, and a cell shows that commas group thousands.

        Such a cell is needed only if the column has grouped numbers; at least one cell must be known.
        """
        if not self.known.any() or ((self.plain | self.grouped) != self.known).any():
            return False
        return bool(not self.grouped.any() or (self.grouped & self._mask(CERTAIN)).any())

    def doubt(self) -> str | None:
        """Return which cell keeps the column from being read as numbers; None if no cell looks like a number."""
        if not (self.plain | self._mask(LIKE)).any():
            return None
        other = self.known & ~(self.plain | self.percent | self.grouped)
        if other.any():
            row = int(other.argmax())
            return f"row {row + 1} holds '{self.cells[row]}'"
        if self.percent.any():
            row = int(self.percent.argmax())
            bare = int((self.known & ~self.percent).argmax())
            first = f"row {row + 1} holds '{self.cells[row]}'"
            return f"{first}, but row {bare + 1} holds '{self.cells[bare]}' without a percent sign"
        row = int(self.grouped.argmax())
        text = str(self.cells[row])
        return f"row {row + 1} holds '{text}', which may mean {text.replace(',', '')} or {text.replace(',', '.')}"

    def _mask(self, pattern: str) -> Any:
        import pyarrow.compute as pc

        return pc.fill_null(pc.match_substring_regex(self.cells, pattern), False).to_numpy(zero_copy_only=False)


def numbers_of(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return a column of text as float64, with unknown cells as NaN; None unless all cells are numbers without doubt.

    Percentages keep the number in front of the sign: ``93.5%`` is 93.5.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column.dtype, pd.CategoricalDtype):
        values = numbers_of(pd.Series(column.cat.categories))
        codes = column.cat.codes
        return None if values is None else values.reindex(codes).set_axis(column.index)
    found = notations(column)
    if found is None or not (found.all_percent or found.all_numbers):
        return None
    digits = pc.replace_substring_regex(found.cells, r"[,%\s]|^\+", "")
    known = pc.if_else(pc.equal(digits, ""), pa.scalar(None, digits.type), digits)
    return pd.Series(known.cast(pa.float64()).to_numpy(zero_copy_only=False), index=column.index)


def notations(column: pd.Series[Any]) -> Notations | None:
    """Return how a column's cells are written; None if they are not text."""
    import pandas as pd
    import pyarrow as pa

    values = column.cat.categories.to_series() if isinstance(column.dtype, pd.CategoricalDtype) else column
    try:
        cells = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError):
        return None
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)
    return Notations(cells) if text else None
