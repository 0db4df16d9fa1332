"""Summary of a folder ``train/<class>/*`` with optional ``test/<class>/*``; it is made once and kept in the folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from engine.datasets.failures import ImageError
from engine.datasets.images import check_image, was_rescaled
from engine.datasets.leftovers import LeftOut
from engine.datasets.recognition import is_image_file
from engine.errors import DataError

MANIFEST = "manifest.json"
MAX_DEFAULT_SIDE = 224
MIN_SIDE = 8
NAMED = 5
"""The largest number of files that one error names."""


@dataclass(frozen=True)
class FolderSummary:
    """The contents of a folder of images.

    ``class_counts`` has the training images per class, ordered by name; ``test_counts`` has the same for test images.
    ``channels`` is 1 if every training image is grey, else 3. ``side`` is the default resolution in pixels: the short
    side of the most common size, at least 8 and at most 224. ``ignored`` counts the files that are not images of a
    class; ``left_out`` has them by folder and suffix. ``digest`` covers every image's path and
    bytes. ``rescaled`` says that earlier builds scaled some image otherwise (`engine.datasets.depth`).
    """

    class_counts: dict[str, int]
    test_counts: dict[str, int]
    channels: int
    side: int
    ignored: int
    digest: str
    left_out: tuple[LeftOut, ...] = ()
    rescaled: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of their labels."""
        return tuple(self.class_counts)

    @property
    def train_count(self) -> int:
        """Number of training images, including those that later become validation images."""
        return sum(self.class_counts.values())

    @property
    def test_count(self) -> int:
        """Number of test images."""
        return sum(self.test_counts.values())


def summarise(root: Path, ignored: int | None = None, rows: tuple[LeftOut, ...] = ()) -> FolderSummary:
    """Decode every image below ``root`` once, check the classes, and write and return the summary.

    ``ignored`` replaces the count of other files if these were left out before, and ``rows`` names them. DataError
    names the folder, class or files that are wrong.
    """
    if not (root / "train").is_dir():
        raise DataError("the images are not in class folders; put them into train/<class>/ and pack that folder")
    digest = sha256()
    sizes = Counter[tuple[int, int]]()
    greys = True
    rescaled = False
    counts: dict[str, dict[str, int]] = {"train": {}, "test": {}}
    wrong: list[ImageError] = []
    for part, name, path in _images(root):
        label = path.relative_to(root).as_posix()
        try:
            checked = check_image(path, label)
        except ImageError as error:
            wrong.append(error)
            continue
        rescaled = rescaled or checked.rescaled
        counts[part][name] = counts[part].get(name, 0) + 1
        digest.update(label.encode() + b"\0" + sha256(path.read_bytes()).digest())
        if part == "train":
            sizes[checked.size] += 1
            greys = greys and checked.grey
    if wrong:
        raise _together(wrong)
    _check_classes(counts["train"], counts["test"])
    # Among equally common sizes the smaller one is chosen, so that the default does not depend on the order of files.
    common = min(sizes, key=lambda size: (-sizes[size], size))
    summary = FolderSummary(
        class_counts=counts["train"],
        test_counts=counts["test"],
        channels=1 if greys else 3,
        side=max(MIN_SIDE, min(*common, MAX_DEFAULT_SIDE)),
        ignored=_other_files(root) if ignored is None else ignored,
        digest=digest.hexdigest(),
        left_out=rows,
        rescaled=rescaled,
    )
    _write(root, summary)
    return summary


def read_summary(root: Path) -> FolderSummary:
    """Return the stored summary, or make one.

    ``rescaled`` is added once to a summary of an earlier build; only deep grey images are decoded for this.
    """
    try:
        stored = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return summarise(root)
    stored["left_out"] = tuple(LeftOut(**row) for row in stored.get("left_out", ()))
    if "rescaled" in stored:
        return FolderSummary(**stored)
    summary = FolderSummary(**stored, rescaled=any(was_rescaled(path) for _, _, path in _images(root)))
    _write(root, summary)
    return summary


def image_files(root: Path, part: str) -> list[tuple[str, Path]]:
    """Return ``(class, path)`` of every image of ``train`` or ``test``, in a fixed order."""
    return [(name, path) for where, name, path in _images(root) if where == part]


def class_files(root: Path, part: str, name: str) -> list[Path]:
    """Return the images of one class of ``train`` or ``test``, in a fixed order; DataError if there are none."""
    folder = root / part / name
    inside = folder.parent == root / part and name not in ("", ".", "..")
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_image_file(path)] if inside else []
    if not found:
        raise DataError(f"there are no images of class '{name}' in {part}/")
    return found


def _images(root: Path) -> Iterator[tuple[str, str, Path]]:
    for part in ("train", "test"):
        if not (root / part).is_dir():
            continue
        for folder in sorted(entry for entry in (root / part).iterdir() if entry.is_dir()):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and is_image_file(path):
                    yield part, folder.name, path


def _together(wrong: Sequence[ImageError]) -> DataError:
    """Return one error for all files that cannot be used; it names the first few."""
    if len(wrong) == 1:
        return wrong[0]
    named = "; ".join(f"{error.name} {error.reason}" for error in wrong[:NAMED])
    more = f"; and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
    return DataError(
        f"{len(wrong):,} files cannot be used: {named}{more}. Replace, scale down or remove them, then try again"
    )


def _check_classes(train: dict[str, int], test: dict[str, int]) -> None:
    if len(train) < 2:
        found = f"only '{next(iter(train))}'" if train else "none"
        raise DataError(f"at least two classes are needed, but train/ has {found} with images; add class folders")
    small = [name for name, count in train.items() if count < 2]
    if small:
        raise DataError(
            f"class '{small[0]}' has only one training image; every class needs two, one to train on and one held out"
        )
    unknown = sorted(set(test) - set(train))
    if unknown:
        raise DataError(f"the folder test/ has the class '{unknown[0]}', which train/ lacks; rename or remove it")


def _other_files(root: Path) -> int:
    def inside(path: Path) -> bool:
        parts = path.relative_to(root).parts
        return not parts[0].startswith(".") and parts != (MANIFEST,)

    files = sum(1 for path in root.rglob("*") if path.is_file() and inside(path))
    return files - sum(1 for _ in _images(root))


def _write(root: Path, summary: FolderSummary) -> None:
    """Write the summary to a temporary file and rename it; in a read-only folder it is made again each time."""
    try:
        handle, name = tempfile.mkstemp(dir=root, prefix=".manifest-")
    except OSError:
        return
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(summary), file)
    os.replace(name, root / MANIFEST)
