"""Pickles of plain values from files that users bring: anything that could run code is refused."""

from __future__ import annotations

import bz2
import io
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError

_SCALAR = np.float64(0).__reduce__()[0]
ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "list"): list,
    ("builtins", "dict"): dict,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy._core.multiarray", "scalar"): _SCALAR,
    ("numpy", "dtype"): np.dtype,
}
"""All that a pickle may name: containers, and numpy's single numbers."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed = ALLOWED.get((module, name))
        if allowed is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which a table has no need of")
        return allowed

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside the file")


def load_bz2(path: Path, limit: int) -> Any:
    """The value of a bz2-compressed pickle; DataError when it is none, names more than plain values or is too large.

    ``limit`` is the largest size in bytes after decompression.
    """
    try:
        with bz2.open(path, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise DataError(f"'{path.name}' is larger than {limit // 1_000_000} MB unpacked; it is not the file meant.")
        return _PlainUnpickler(io.BytesIO(content)).load()
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"'{path.name}' is not there; unpack the whole archive.") from error
    except Exception as error:  # a malformed pickle can raise anything
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise DataError(f"'{path.name}' cannot be read as a compressed pickle of plain values: {reason}.") from error
