"""Decoded splits on disk, so that several processes share one decoding and one copy in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock

from engine.datasets.base import ImageSplits, Split

FOLDER = ".decoded"
NAMES = ("train", "valid", "test")


def cached(root: Path, key: str, produce: Callable[[], ImageSplits]) -> ImageSplits:
    """Return the splits stored under ``root/.decoded/key``, memory-mapped; the first call produces and stores them.

    A second process waits until the first has finished decoding. The folder is created by one rename, so an incomplete
    folder is never read. If ``root`` cannot be written, the splits are produced in memory each time.
    """
    base = root / FOLDER
    target = base / key
    if target.is_dir():
        return _read(target)
    try:
        base.mkdir(parents=True, exist_ok=True)
        lock = FileLock(base / f"{key}.lock")
        lock.acquire()
    except OSError:
        return produce()
    try:
        if not target.is_dir():
            _write(produce(), target)
        return _read(target)
    finally:
        lock.release()


def _write(splits: ImageSplits, target: Path) -> None:
    """Write the splits; the caller holds the key's lock, so an unfinished folder found here is from a dead process."""
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in NAMES:
        split: Split = getattr(splits, name)
        np.save(unfinished / f"{name}_images.npy", split.images)
        np.save(unfinished / f"{name}_labels.npy", split.labels)
    unfinished.rename(target)


def _read(folder: Path) -> ImageSplits:
    def split(name: str) -> Split:
        images = np.load(folder / f"{name}_images.npy", mmap_mode="r")
        return Split(images, np.load(folder / f"{name}_labels.npy"))

    return ImageSplits(*(split(name) for name in NAMES))
