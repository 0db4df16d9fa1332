"""Files for download that take long to make, such as half a minute for the ONNX file of a deep network.

A job becomes a file in ``NASWEB_HOME/exports``, named by the digest of its contents, so that the same download is made
only once. Each job has a thread, which waits for a separate process (`engine.export`). So pages stay fast, and the web
process never imports torch.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings

from searches.services import export_process
from searches.services.errors import ActionRefused

AT_ONCE = 2
"""Number of files made at once, so that a small file need not wait for a large one."""
KEPT_BYTES = 2_000_000_000
RECIPE = 2
"""A version number, increased whenever the same job gives a different file than before."""


@dataclass
class Making:
    """A file that is being made: ``done`` of ``of`` networks are written."""

    done: int = 0
    of: int = 1
    result: Future[Prepared] = field(default_factory=Future)


@dataclass(frozen=True)
class Prepared:
    """A finished file with the name and content type for its download."""

    path: Path
    name: str
    content_type: str


_making: dict[str, Making] = {}
_lock = threading.Lock()


def ask(job: Mapping[str, Any]) -> Prepared | Making:
    """Return the file if it is ready, else its progress; the first call starts making it.

    A failure is raised once and then forgotten, so that the next call starts again.
    """
    key = digest(job)
    with _lock:
        ready = _ready(key)
        if ready is not None:
            return ready
        making = _making.get(key)
        if making is None:
            making = _making[key] = Making(of=len(job.get("networks", [0])))
            _pool().submit(_make, key, dict(job), making)
        elif making.result.done():
            del _making[key]
            making.result.result()  # raises the error of the failed job
        return making


def wait(job: Mapping[str, Any], seconds: float = 900.0) -> Prepared:
    """Wait up to ``seconds`` for the file and return it; raises ActionRefused with the reason if there is none."""
    found = ask(job)
    if isinstance(found, Prepared):
        return found
    try:
        return found.result.result(seconds)
    except TimeoutError as error:
        raise ActionRefused("The file is still being prepared; try again later.") from error
    finally:
        if found.result.done():
            with _lock:
                _making.pop(digest(job), None)


def digest(job: Mapping[str, Any]) -> str:
    """Return a digest of everything that decides the file's contents: the job, and the versions that write it."""
    versions = [version(name) for name in ("nasweb", "torch", "onnx", "onnxscript")]
    return sha256(json.dumps([RECIPE, versions, job], sort_keys=True, default=list).encode()).hexdigest()


def _make(key: str, job: dict[str, Any], making: Making) -> None:
    try:
        prepared = _run(key, job, making)
        with _lock:  # before the result is set, so that this job's clean-up cannot delete a later job's file
            _tidy(keep=prepared.path)
            _making.pop(key, None)
    except Exception as error:
        making.result.set_exception(error)
        return
    making.result.set_result(prepared)


def _run(key: str, job: dict[str, Any], making: Making) -> Prepared:
    def tell(line: Mapping[str, Any]) -> None:
        making.done = line["done"]
        making.of = line["of"]

    folder = _folder()
    about = export_process.write(job, folder / key, tell)
    (folder / f"{key}.json").write_text(json.dumps(about))
    return Prepared(folder / key, about["name"], about["content_type"])


def _ready(key: str) -> Prepared | None:
    path = _folder() / key
    about = _folder() / f"{key}.json"
    if not (path.is_file() and about.is_file()):
        return None
    os.utime(path)
    facts = json.loads(about.read_text())
    return Prepared(path, facts["name"], facts["content_type"])


def _tidy(keep: Path) -> None:
    """Delete the least recently used files beyond `KEPT_BYTES`."""
    files = sorted(_folder().glob("*.json"), key=lambda about: _used(about.with_suffix("")), reverse=True)
    total = 0
    for about in files:
        path = about.with_suffix("")
        total += path.stat().st_size if path.is_file() else 0
        if total > KEPT_BYTES and path != keep:
            about.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _used(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def _folder() -> Path:
    folder = Path(settings.NASWEB_HOME) / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export")
