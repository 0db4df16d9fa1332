"""The choice of an estimate's reduced data, with reason and cost; it is made before a search begins, without torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.config.estimators import MoteOptions
from engine.errors import ConfigError
from engine.estimate import Images
from engine.reduction.published import LABELS, published_labels
from engine.sources import Opened
from engine.space import SearchSpace

Encoder = Literal["published", "vgg16_pool", "vgg16_softmax", "pixels"]
REDUCED_IMAGES = 5_000
WEIGHTS = "vgg16-397923af.pth"
"""torchvision's file of VGG-16's ImageNet weights."""
IMAGES_A_LABEL = 20
"""Number of images per label that VGG-16 encodes."""
VGG_SECONDS_AN_IMAGE = 0.4
"""Seconds on one CPU thread for 224 x 224 pixels, 15.5 billion multiply-adds: a rough guess, only for warnings."""


@dataclass(frozen=True)
class Reduction:
    """A choice of data; ``labels`` and ``encoder`` are None if all labels are kept.

    Then a random sample of the images is used (RD-RS), or all images if ``whole`` is true.
    """

    labels: int | None
    encoder: Encoder | None
    why: str
    whole: bool = False


def remark(options: MoteOptions, space: SearchSpace, images: Images | None, table: Opened | None) -> str:
    """Describe the reduced data on which a MOTE estimate trains, with reason and cost.

    Raises ConfigError as `reduction_for` does.
    """
    return "" if images is None else reduction_for(options, images.class_names, images.train_count).why


def reduction_for(options: MoteOptions, class_names: Sequence[str], train_images: int) -> Reduction:
    """Return the reduction of a data set; ConfigError (``estimator...``) if this machine cannot provide it."""
    count = options.reduced_labels
    classes = len(class_names)
    if options.reduction == "none":
        why = f"all {train_images:,} training images of all {classes} labels, none left out (as chosen)"
        return Reduction(None, None, f"{why}; as many steps as with fewer, so costs nothing extra", whole=True)
    if options.reduction == "random":
        return _random(classes, train_images, "as chosen")
    if options.reduction == "auto" and classes < 2 * count:
        return _random(classes, train_images, f"{classes} labels are too few to leave any out")
    if classes <= count:
        raise ConfigError.at(
            "estimator.reduced_labels",
            f"The data have {classes} labels; choose fewer than that, or the reduction 'random'.",
        )
    encoder = options.encoder
    if encoder == "auto":
        encoder = "pixels" if published_labels(count, class_names) is None else "published"
    if encoder == "published" and published_labels(count, class_names) is None:
        known = ", ".join(map(str, LABELS))
        raise ConfigError.at(
            "estimator.encoder", f"Labels were published for CIFAR-100 with {known} labels; choose another encoder."
        )
    if encoder in ("vgg16_pool", "vgg16_softmax") and not weights_file().is_file():
        raise ConfigError.at("estimator.encoder", missing_weights())
    return Reduction(count, encoder, f"{count} of {classes} labels, {_how(encoder, classes)}")


def weights_file() -> Path:
    """Return torchvision's file of VGG-16's weights, by torch's rules for its cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints" / WEIGHTS


def missing_weights() -> str:
    """Return what to do if VGG-16's weights are missing."""
    return (
        "VGG-16's weights are not on this machine. Fetch them with 'python -m engine.reduction' on every machine with "
        "workers (528 MB), or choose the encoder 'pixels' or 'published', or the reduction 'random'."
    )


def _random(classes: int, images: int, why: str) -> Reduction:
    size = f"{REDUCED_IMAGES:,} of {images:,}" if images > REDUCED_IMAGES else f"all {images:,}"
    return Reduction(None, None, f"{size} training images of all {classes} labels ({why}); costs nothing extra")


def _how(encoder: Encoder, classes: int) -> str:
    if encoder == "published":
        return "those that MOTE's authors chose; costs nothing extra"
    if encoder == "pixels":
        return "chosen by their images' coarse pixels; costs seconds, once per worker"
    minutes = max(round(classes * IMAGES_A_LABEL * VGG_SECONDS_AN_IMAGE / 60), 1)
    return f"chosen by VGG-16 ({encoder.removeprefix('vgg16_')}); costs about {minutes} CPU minutes, once per worker"
