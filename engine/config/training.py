"""Full trainings as data: the recipes, and the configuration of one training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from engine.config.base import Options
from engine.config.datasets import DatasetOptions, FoldersOptions


class Recipe(Options):
    """A recipe of full trainings; its learning rate is for ``rate_batch`` images per step."""

    label: str
    source: str
    """The source of the numbers, and the differences from it."""
    epochs: int
    batch_size: int
    """The batch size: images per step."""
    optimizer: Literal["sgd", "rmsprop"]
    learning_rate: float
    rate_batch: int
    momentum: float = 0.9
    weight_decay: float = 0.0
    epsilon: float = 0.0
    """RMSProp's epsilon, added to the root of the mean square."""
    warmup_share: float = 0.0
    """The share of all steps in which the rate rises linearly; after that it falls along a half cosine to zero."""
    flip: bool = False
    """Whether every image is mirrored with probability 1/2."""
    crop: bool = False
    """Whether every image is padded with zeros by an eighth of its side and cropped at a random place."""
    parts: bool = False
    """For class folders of this machine: crops are random parts of 8 to 100% of the file, scaled to the input, and
    accuracies are measured on the centre."""
    jitter: float = 0.0
    """Brightness, contrast and saturation are multiplied by factors between 1 minus and 1 plus this number."""
    label_smoothing: float = 0.0


RECIPES: Mapping[str, Recipe] = {
    "quick": Recipe(
        label="Quick",
        source="nasweb's own, sized for CPUs: one-cycle SGD with Nesterov momentum, images as they are",
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.05,
        rate_batch=64,
        weight_decay=5e-4,
        warmup_share=0.3,
    ),
    "nasbench201": Recipe(
        label="NAS-Bench-201",
        source="NAS-Bench-201 (arXiv 2001.00326): SGD with Nesterov momentum, rate 0.1 along a cosine, weight decay "
        "5e-4, batches of 256, random flips and crops; inputs are pixels / 255 as everywhere here",
        epochs=200,
        batch_size=256,
        optimizer="sgd",
        learning_rate=0.1,
        rate_batch=256,
        weight_decay=5e-4,
        flip=True,
        crop=True,
    ),
    "layernas": Recipe(
        label="LayerNAS",
        source="LayerNAS, section 5.1: RMSProp with momentum 0.9, rate 2.64 for batches of 4096, 12.5 of 500 epochs of "
        "warm-up, then a cosine. Batches are smaller here, and the rate in proportion. The paper states no epsilon "
        "(here 1.0), no weight decay (here none) and no augmentation (here flips and crops; for class folders random "
        "parts of images, as is usual for ImageNet, with accuracies on the centre)",
        epochs=500,
        batch_size=256,
        optimizer="rmsprop",
        learning_rate=2.64,
        rate_batch=4096,
        epsilon=1.0,
        warmup_share=12.5 / 500,
        flip=True,
        crop=True,
        parts=True,
    ),
    "imagenet": Recipe(
        label="ImageNet",
        source="Bag of Tricks (arXiv 1812.01187): SGD with Nesterov momentum, rate 0.1 for batches of 256, 5 of 120 "
        "epochs of warm-up, then a cosine, weight decay 1e-4, label smoothing 0.1, flips, and for class folders "
        "random parts of 8 to 100 % of an image with accuracies on the centre. Colours change as with torchvision's "
        "jitter of 0.4; the paper scales hue instead of contrast and adds PCA noise. Here all weights decay, and the "
        "scales of batch norms begin at one",
        epochs=120,
        batch_size=256,
        optimizer="sgd",
        learning_rate=0.1,
        rate_batch=256,
        weight_decay=1e-4,
        warmup_share=5 / 120,
        flip=True,
        crop=True,
        parts=True,
        jitter=0.4,
        label_smoothing=0.1,
    ),
}


class TrainingConfig(Options):
    """One full training: validation images choose the epoch; test images are used only once, at the end."""

    recipe: Literal["quick", "nasbench201", "layernas", "imagenet"] = Field("quick", title="Recipe")
    epochs: int | None = Field(
        None, ge=1, le=1000, title="Epochs", description="empty: the recipe's; the schedule is stretched or shortened"
    )
    batch_size: int | None = Field(
        None, ge=2, le=8192, title="Batch size", description="empty: the recipe's; the rate follows in proportion"
    )
    flip: bool | None = Field(None, title="Random flips", description="empty: the recipe's; not for digits or letters")
    crop: bool | None = Field(None, title="Random crops", description="empty: the recipe's")
    dataset: DatasetOptions | None = Field(None, title="Data", description="empty: the search's own")
    seed: int = Field(
        0, ge=0, lt=2**31, title="Seed", description="decides initial weights, order of images and augmentation"
    )

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration for JSON."""
        return self.model_dump(mode="json")

    @property
    def parts(self) -> Recipe:
        """The recipe with this training's own settings."""
        recipe = RECIPES[self.recipe]
        own = {name: getattr(self, name) for name in ("epochs", "batch_size", "flip", "crop")}
        return recipe.model_copy(update={name: value for name, value in own.items() if value is not None})

    @property
    def rate(self) -> float:
        """The highest learning rate, proportional to the batch size."""
        parts = self.parts
        return parts.learning_rate * parts.batch_size / parts.rate_batch

    @property
    def parted(self) -> bool:
        """Return whether training uses random parts of files, so that accuracies are measured on the centre."""
        parts = self.parts
        return parts.parts and parts.crop and isinstance(self.dataset, FoldersOptions)

    @property
    def augmentation(self) -> str:
        """A description of the changes to images and labels."""
        parts = self.parts
        changes = ["random flips"] if parts.flip else []
        if self.parted:
            changes.append("random parts of 8 to 100 % of an image, scaled to the input")
        elif parts.crop:
            changes.append("random crops of images padded by an eighth of their side")
        if parts.jitter:
            low = 1 - parts.jitter
            high = 1 + parts.jitter
            changes.append(f"brightness, contrast and saturation times {low:g} to {high:g}")
        if parts.label_smoothing:
            changes.append(f"label smoothing {parts.label_smoothing:g}")
        judged = "; accuracies on the centre, the short side scaled to 8/7 of the input" if self.parted else ""
        return (", ".join(changes) or "none") + judged

    @property
    def described(self) -> str:
        """The recipe in a few words, including what this training changes."""
        recipe = RECIPES[self.recipe]
        parts = self.parts
        words = [f"{recipe.label} recipe"]
        if parts.epochs < recipe.epochs:
            words.append(f"shortened: {parts.epochs} of {recipe.epochs} epochs")
        elif parts.epochs > recipe.epochs:
            words.append(f"lengthened: {parts.epochs} instead of {recipe.epochs} epochs")
        else:
            words.append(f"{parts.epochs} epochs")
        if parts.batch_size != recipe.batch_size:
            words.append(f"batches of {parts.batch_size} instead of {recipe.batch_size}")
        for name, label in (("flip", "flips"), ("crop", "crops")):
            if getattr(parts, name) != getattr(recipe, name):
                words.append(f"{'with' if getattr(parts, name) else 'without'} random {label}")
        if self.parted:
            words.append("accuracies on the centre of images")
        return ", ".join(words)
