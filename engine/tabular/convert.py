"""Conversion of official files to Parquet tables; ``python -m engine.tabular.convert NAME SOURCE TARGET``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from math import nan
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import DataError
from engine.stopping import Stop, never
from engine.table_files import ARCH
from engine.tabular_benchmarks import TABULAR_BENCHMARKS

Progress = Callable[[int, int], None]
"""A function that is called often, with the number of rows so far and of all rows."""


def convert(name: str, source: Path, target: Path, progress: Progress = lambda *_: None, stop: Stop = never) -> int:
    """Convert a benchmark's official file to a table, and return the number of rows.

    The finished table is renamed to ``target``, so that an incomplete one is never there. Raises DataError,
    which names what is wrong with the file, and Stopped when ``stop()`` is true.
    """
    total, rows = TABULAR_BENCHMARKS[name].read(source, stop)
    archs: list[str] = []
    columns: dict[str, list[float]] = {}
    for arch, numbers in rows:
        for column in numbers.keys() - columns.keys():
            columns[column] = [nan] * len(archs)
        archs.append(arch)
        for column, values in columns.items():
            values.append(numbers.get(column, nan))
        progress(len(archs), total)
    if not archs:
        raise DataError(f"'{source.name}' contains no architecture; unpack the whole archive.")
    table = pa.table({ARCH: archs} | {column: columns[column] for column in sorted(columns)})
    unfinished = target.with_suffix(f".{os.getpid()}.unfinished")
    try:
        pq.write_table(table, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(archs)


def main(arguments: list[str]) -> int:
    """Run the command; return 0, or else 1 (bad file) or 2 (wrong arguments) with the reason on standard error."""
    if len(arguments) != 3 or arguments[0] not in TABULAR_BENCHMARKS:
        names = ", ".join(TABULAR_BENCHMARKS)
        print(f"usage: python -m engine.tabular.convert NAME SOURCE TARGET (NAME: {names})", file=sys.stderr)
        return 2
    name = arguments[0]
    source = Path(arguments[1])
    target = Path(arguments[2])
    try:
        print(f"{convert(name, source, target)} architectures written to {target}")
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
