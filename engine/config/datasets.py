"""Options of the data sets."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.config.base import Options, is_stored

MOST_HELD_OUT = 0.9


class ImageOptions(Options):
    """The conversion of images to network inputs, and the validation split."""

    field: ClassVar[str] = "dataset"
    """The field of a configuration at which errors in the images are reported."""
    is_local: ClassVar[bool] = False
    """Whether the images are in a folder of this machine that the configuration names."""
    resolution: int | None = Field(
        None, ge=8, le=512, title="Image size", description="side of the square input in pixels; empty: the data's own"
    )
    fit: Literal["resize", "crop"] = Field(
        "resize",
        title="Fit",
        description="resize: scale to the square; crop: scale the short side, then cut out the centre",
    )
    valid_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        title="Validation share",
        description=f"share of the training images that is held out, at most {MOST_HELD_OUT}",
        json_schema_extra={"maximum": MOST_HELD_OUT},
    )
    split_seed: int = Field(0, ge=0, lt=2**31, title="Split seed", description="decides which images are held out")

    @field_validator("valid_share")
    @classmethod
    def _leaves_images(cls, share: float, info: ValidationInfo) -> float:
        if share > MOST_HELD_OUT and not is_stored(info):
            raise ValueError(f"hold out at most {MOST_HELD_OUT} of the training images; the others are for training")
        return share


class DigitsOptions(ImageOptions):
    """scikit-learn's 1,797 handwritten digits, 8x8 grey: real data without a download."""

    kind: Literal["digits"] = "digits"


class UploadOptions(ImageOptions):
    """An uploaded zip of class folders."""

    kind: Literal["upload"] = "upload"
    id: int = Field(title="Data set", description="number of the uploaded data set")


class TorchvisionOptions(ImageOptions):
    """A torchvision data set, read from the data folder or, if allowed, downloaded."""

    kind: Literal["torchvision"] = "torchvision"
    name: Literal["cifar10", "cifar100", "fashion_mnist"] = Field("cifar10", title="Name")
    download: bool = Field(False, title="Allow download", description="download it if it is not in the data folder")


class FoldersOptions(ImageOptions):
    """Class folders on this machine, in ImageNet's layout (train/<class>/, val/<class>/) or only <class>/ (local use).

    Validation images are held out of train/; the test images are those of test/ or, without test/, of val/. Estimates
    train on a sample of train/; a full training streams all of it.
    """

    field: ClassVar[str] = "dataset.path"
    is_local: ClassVar[bool] = True
    kind: Literal["folders"] = "folders"
    path: str = Field(
        title="Folder",
        description="a folder with train/<class>/ and optionally test/<class>/ or val/<class>/, or only with <class>/",
    )
    sample: int = Field(
        10_000,
        ge=100,
        le=200_000,
        title="Sample",
        description="number of images of train/ on which estimates train; a full training streams all",
    )


DatasetOptions = Annotated[
    DigitsOptions | UploadOptions | TorchvisionOptions | FoldersOptions, Field(discriminator="kind")
]
