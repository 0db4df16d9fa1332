"""NAS-Bench-301's accuracy surrogate: xgboost models, one per folder (arXiv 2008.09777; the authors' release).

A member is the file ``surrogate_model.model``. It is either a pickled Booster, from which the model's bytes are taken
without running any code that the pickle names, or a model in one of xgboost's own formats. A ``.json`` or ``.ubj`` file
beside it takes precedence. The package xgboost is optional.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.tabular.nasbench301_vector import NAMES

COMMAND = 'pip install "nasweb[nasbench301]"'
SOURCE = "the NAS-Bench-301 authors' page, github.com/automl/nasbench301 (the archive of models, unpacked)"
MEMBER = "surrogate_model"
SUFFIXES = (".json", ".ubj", ".model")
LARGEST = 1_000_000_000
EPOCHS = 100
"""Length in epochs of the trainings whose accuracy the surrogate predicts."""


def places(version: str) -> tuple[str, ...]:
    """Return the possible places of the surrogate in the benchmarks' folder."""
    return tuple(f"{folder}xgb_v{version}" for folder in (f"nb_models_{version}/", "nb_models/", ""))


def find(folder: Path, version: str) -> Path | None:
    """Return the surrogate's folder, or None if it does not exist."""
    return next((folder / place for place in places(version) if (folder / place).is_dir()), None)


def has_package() -> bool:
    """Return whether xgboost is installed; it is not imported for this."""
    return find_spec("xgboost") is not None


def usable(folder: Path, version: str) -> Path | None:
    """Return the surrogate's folder, or None if the models or the package xgboost are missing."""
    return find(folder, version) if has_package() else None


def steps(folder: Path, version: str, place: str) -> list[str]:
    """Return the steps that are needed before the surrogate can be opened; the folder is called ``place``."""
    found = []
    if find(folder, version) is None:
        found.append(f"put “{places(version)[0]}” into {place}")
    if not has_package():
        found.append(f"install the package xgboost: {COMMAND}")
    return found


class AccuracySurrogate:
    """An ensemble; its prediction, a validation accuracy in percent, is the mean of its members' predictions."""

    def __init__(self, members: Sequence[tuple[str, bytes]]) -> None:
        self._members = members
        self.content_hash = sha256(b"".join(sha256(content).digest() for _, content in members)).hexdigest()

    @classmethod
    def open(cls, folder: Path) -> AccuracySurrogate:
        """Read all members below a folder; DataError names what is wrong."""
        try:
            folders = {path.parent for suffix in SUFFIXES for path in folder.rglob(f"{MEMBER}{suffix}")}
            files = [next(p for s in SUFFIXES if (p := each / f"{MEMBER}{s}").exists()) for each in sorted(folders)]
            if not files:
                raise DataError(f"'{folder.name}' contains no {MEMBER}.model; unpack the whole archive.")
            if sum(file.stat().st_size for file in files) > LARGEST:
                raise DataError(
                    f"'{folder.name}' is larger than {LARGEST // 1_000_000} MB; it is not the right folder."
                )
            surrogate = cls([(str(file.relative_to(folder)), file.read_bytes()) for file in files])
        except OSError as error:
            raise DataError(f"'{folder.name}' cannot be read: {error.strerror}.") from error
        _ = surrogate._boosters
        return surrogate

    def predict(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return means over the members, shape ``(networks,)``; ``vectors`` has shape ``(networks, len(NAMES))``."""
        import xgboost

        matrix = xgboost.DMatrix(vectors)
        found = [booster.predict(matrix, validate_features=False) for booster in self._boosters]
        return np.asarray(np.mean(found, axis=0), dtype=np.float64)

    @cached_property
    def _boosters(self) -> list[Any]:
        return [_booster(name, content) for name, content in self._members]


def _booster(name: str, content: bytes) -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise DataError(f"NAS-Bench-301's surrogate needs the package xgboost: {COMMAND}.") from error
    booster = xgboost.Booster(params={"nthread": 1})
    try:
        if content[:1] == b"\x80":  # a pickle of protocol 2 or later
            booster.__setstate__({"handle": bytearray(_handle(content))})
        else:
            booster.load_model(bytearray(content))
        booster.set_param({"nthread": 1})
        columns = booster.num_features()
    except Exception as error:  # a malformed file can raise anything
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise DataError(
            f"'{name}' cannot be read as a model of xgboost {xgboost.__version__}: {reason}. xgboost below 3.1 also "
            f"reads files that xgboost 1.x pickled; install it with {COMMAND}. Or open the file with the xgboost "
            f"version that wrote it, and save the model in the same folder with save_model('{MEMBER}.json')."
        ) from error
    if columns != len(NAMES):
        raise DataError(f"'{name}' has {columns} inputs; NAS-Bench-301's surrogates have {len(NAMES)}.")
    return booster


class _State:
    """Replaces a Booster while its pickle is read; it keeps the state and does nothing with it."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _latin(text: str, encoding: str) -> bytes:
    """Return bytes that an older pickle protocol wrote as text."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("it contains bytes in an unknown encoding")
    return text.encode("latin-1")


class _BoosterUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed: dict[tuple[str, str], Any] = {
            ("xgboost.core", "Booster"): _State,
            ("builtins", "bytearray"): bytearray,
            ("_codecs", "encode"): _latin,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which a model does not need")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside the file")


def _handle(content: bytes) -> bytes:
    """Return the bytes of the Booster in a pickle."""
    found = _BoosterUnpickler(io.BytesIO(content)).load()
    handle = found.state.get("handle") if isinstance(found, _State) and isinstance(found.state, dict) else None
    if not isinstance(handle, bytes | bytearray):
        raise pickle.UnpicklingError("it contains no Booster")
    return bytes(handle)
