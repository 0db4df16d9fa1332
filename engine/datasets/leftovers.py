"""The files that are left out of a data set, by folder and suffix, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.datasets.layout import Layout, Place, composed
from engine.datasets.recognition import is_hidden, suffix_of

MOST = 100
"""The largest number of rows that are reported, those with the most files first."""
NO_IMAGE = "not images"
OUTSIDE = "outside the class folders"


@dataclass(frozen=True)
class LeftOut:
    """The number of files of one suffix in one folder, and why they are left out.

    ``class_name`` is the class if the folder is a class folder, even one without images; otherwise it is empty.
    """

    folder: str
    class_name: str
    suffix: str
    count: int
    reason: str


def left_out(files: Iterable[tuple[Place, bool]], layout: Layout) -> tuple[LeftOut, ...]:
    """Return what the layout does not use of ``files``, each given as its path and whether it is an image.

    Hidden files are not reported.
    """
    labels = {place: label for classes in (layout.train, layout.test) for label, place in classes.items()}
    beside = {place[:-1] for place in labels}
    counts: Counter[tuple[Place, str, str, str]] = Counter()
    for path, image in files:
        if any(map(is_hidden, path)):
            continue
        inside = [*_outer(path)]
        place = next((place for place in inside if place in labels), None)
        if place is not None:
            if not image:
                counts[place, labels[place], suffix_of(path[-1]), NO_IMAGE] += 1
            continue
        place = next((place for place in inside if place in layout.unused), None)
        if place is not None:
            counts[place, "", suffix_of(path[-1]), layout.unused[place] if image else NO_IMAGE] += 1
            continue
        place = next((place for place in inside if place and place[:-1] in beside), None)
        label = composed(place[-1]) if place and not image else ""
        counts[place or inside[-1], label, suffix_of(path[-1]), OUTSIDE if image else NO_IMAGE] += 1
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        LeftOut("/".join(map(composed, place)), label, suffix, count, reason)
        for (place, label, suffix, reason), count in rows[:MOST]
    )


def _outer(path: Place) -> Iterator[Place]:
    """Yield the folders around a file, from the outermost to its own."""
    return (path[:depth] for depth in range(len(path)))
