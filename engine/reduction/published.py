"""The labels of CIFAR-100 that MOTE's authors chose, by their number K."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LABELS: Mapping[int, tuple[str, ...]] = {
    2: ("snail", "man"),
    5: ("clock", "poppy", "cockroach", "pickup_truck", "cloud"),
    10: (
        "sea", "seal", "willow_tree", "tractor", "orange", "caterpillar", "pear", "maple_tree", "beaver", "poppy",
    ),
}  # fmt: skip


def published_labels(count: int, class_names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the numbers of the published labels among a data set's classes, ascending; None if there are none."""
    names = {name.strip().lower().replace(" ", "_"): number for number, name in enumerate(class_names)}
    chosen = LABELS.get(count, ())
    if not chosen or any(name not in names for name in chosen):
        return None
    return tuple(sorted(names[name] for name in chosen))
