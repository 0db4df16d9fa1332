"""Choice of the labels to train on from one code per label (MOTE, RD steps 3 and 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans

RESTARTS = 10


def label_means(codes: ArrayLike, labels: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return the mean code of each label's images, ``(count, D)``; every label must have an image."""
    values = np.asarray(codes, dtype=np.float64)
    numbers = np.asarray(labels)
    return np.stack([values[numbers == label].mean(axis=0) for label in range(count)])


def select_labels(codes: ArrayLike, count: int, seed: int) -> tuple[int, ...]:
    """Return ``count`` of the labels with these codes ``(L, D)``, ascending; ValueError unless 2 <= count <= L.

    K-Means groups the labels. From every group the label with the largest summed distance to the other groups' centres
    is taken (the first among equals).
    """
    values = np.asarray(codes, dtype=np.float64)
    if not 2 <= count <= len(values):
        raise ValueError(f"{count} of {len(values)} labels cannot be chosen; choose 2 to {len(values)}")
    means = KMeans(n_clusters=count, n_init=RESTARTS, random_state=seed).fit(values)
    groups = means.labels_
    centres = means.cluster_centers_
    distances = np.linalg.norm(values[:, None] - centres[None], axis=2)
    chosen = []
    for group in range(count):
        members = np.flatnonzero(groups == group)
        others = np.delete(distances[members], group, axis=1).sum(axis=1)
        chosen.append(int(members[np.argmax(others)]))
    return tuple(sorted(chosen))
