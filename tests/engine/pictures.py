"""Small image files and zips for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (12, 12), *, grey: bool = False, kind: str = "PNG") -> bytes:
    """Return an image file of random pixels; ``size`` is width and height."""
    shape = (size[1], size[0]) if grey else (size[1], size[0], 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def class_files(
    prefix: str = "train/", classes: Iterable[str] = "ab", count: int = 5, **options: object
) -> dict[str, bytes]:
    """Return ``count`` pictures per class, by path."""
    return {
        f"{prefix}{name}/{index}.png": picture(100 * number + index, **options)  # type: ignore[arg-type]
        for number, name in enumerate(classes)
        for index in range(count)
    }


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files into a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
