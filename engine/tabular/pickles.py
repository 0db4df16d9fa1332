"""Pickles of plain values from users' files; a pickle that could run code is refused."""

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
"""Everything that a pickle may name: containers, and numpy's scalar numbers."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed = ALLOWED.get((module, name))
        if allowed is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which a table does not need")
        return allowed

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside the file")


def load_bz2(path: Path, limit: int) -> Any:
    """Return the value of a bz2-compressed pickle.

    Raises DataError if the file is not such a pickle, names other than plain values, or has more than ``limit`` bytes
    after decompression.
    """
    try:
        with bz2.open(path, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise DataError(f"'{path.name}' unpacks to more than {limit // 1_000_000} MB; it is not the right file.")
        return _PlainUnpickler(io.BytesIO(content)).load()
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"'{path.name}' is missing; unpack the whole archive.") from error
    except Exception as error:  # a malformed pickle can raise anything
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise DataError(f"'{path.name}' cannot be read as a compressed pickle of plain values: {reason}.") from error
