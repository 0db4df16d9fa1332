"""The images on which an estimate trains."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.base import ImageData, Split, stratified_sample
from engine.reduction.choice import IMAGES_A_LABEL, REDUCED_IMAGES, Reduction
from engine.reduction.encoders import encode
from engine.reduction.published import published_labels
from engine.reduction.selection import label_means, select_labels
from engine.stopping import Stop, never

SEED = 0
"""Seed of all draws in this module, so that all candidates of all searches on the same data use the same images."""
PIXEL_IMAGES_A_LABEL = 500


def reduced_split(data: ImageData, reduction: Reduction, device: torch.device, stop: Stop = never) -> tuple[Split, int]:
    """Return the training images and their number of labels; chosen labels are renumbered from 0.

    There are at most `REDUCED_IMAGES` images, or the published 500 per label if more labels are kept. If the data is
    not reduced, all images are returned.
    """
    train = data.load().train
    if reduction.whole:
        return train, data.info.spec.classes
    if reduction.labels is None:
        return _sampled(train, np.arange(len(train)), REDUCED_IMAGES), data.info.spec.classes
    chosen = chosen_labels(train, data.info.class_names, reduction, device, stop)
    rows = np.flatnonzero(np.isin(train.labels, chosen))
    split = _sampled(train, rows, max(REDUCED_IMAGES, 500 * len(chosen)))
    return Split(split.images, np.searchsorted(chosen, split.labels)), len(chosen)


def chosen_labels(
    train: Split, class_names: tuple[str, ...], reduction: Reduction, device: torch.device, stop: Stop = never
) -> tuple[int, ...]:
    """Return the numbers of the labels to train on, ascending."""
    assert reduction.labels is not None
    assert reduction.encoder is not None
    if reduction.encoder == "published":
        published = published_labels(reduction.labels, class_names)
        assert published is not None
        return published
    each = PIXEL_IMAGES_A_LABEL if reduction.encoder == "pixels" else IMAGES_A_LABEL
    present = np.unique(train.labels)
    rows = np.concatenate([np.flatnonzero(train.labels == label)[:each] for label in present])
    codes = encode(train.images[rows], reduction.encoder, device, stop)
    means = label_means(codes, np.searchsorted(present, train.labels[rows]), len(present))
    return tuple(int(present[label]) for label in select_labels(means, min(reduction.labels, len(present)), SEED))


def _sampled(train: Split, rows: NDArray[np.intp], count: int) -> Split:
    kept = rows[stratified_sample(train.labels[rows], count, seed=SEED)]
    return Split(train.images[kept], train.labels[kept])
