"""Options of the search spaces."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.config.base import Options, is_stored


class NasBench201Options(Options):
    """NAS-Bench-201 / NATS-Bench topology: one cell of four tensors and six edges, with five operations per edge."""

    kind: Literal["nasbench201"] = "nasbench201"
    form: Literal["tensor", "edge"] = Field(
        "tensor",
        title="Layers",
        description="tensor: each layer has the edges of one tensor (5, 25, 125 options); edge: one edge per layer",
    )
    channels: int = Field(
        16, ge=4, le=128, title="Channels", description="width of the first stage of the full network"
    )
    cells: int = Field(
        5, ge=1, le=10, title="Cells per stage", description="cells in each of the three stages of the full network"
    )


class NatsSizeOptions(Options):
    """Five layers of 8 widths each (8 to 64 channels), shaped like the NATS-Bench size space."""

    kind: Literal["nats_size"] = "nats_size"


class NasBench101Options(Options):
    """NAS-Bench-101: one cell, a graph of up to five operations and nine edges, grown edge by edge."""

    kind: Literal["nasbench101"] = "nasbench101"
    channels: int = Field(
        128,
        ge=8,
        le=256,
        title="Channels",
        description="width of the full network's first stack; 128 as published",
    )
    cells: int = Field(
        3, ge=1, le=10, title="Cells per stack", description="cells in each of the three stacks; 3 as published"
    )


class DartsOptions(Options):
    """DARTS / NAS-Bench-301: a normal and a reduction cell, each of four nodes with two inputs and two operations."""

    kind: Literal["darts"] = "darts"
    cells: int = Field(
        8,
        ge=3,
        le=40,
        title="Cells",
        description="number of cells in the full network: 8 in NAS-Bench-301, 20 in DARTS's evaluation",
    )
    channels: int = Field(
        32,
        ge=4,
        le=128,
        title="Channels",
        description="width of the first cell: 32 in NAS-Bench-301, 36 in DARTS's evaluation",
    )
    stem: Literal["small", "large"] = Field(
        "small",
        title="Images",
        description="small: one convolution, as for CIFAR; large: three convolutions of stride 2, as for ImageNet "
        "(published with 14 cells and 48 channels)",
    )


class TransNasMicroOptions(Options):
    """TransNAS-Bench-101, micro: one cell of four tensors and six edges, with four operations per edge."""

    kind: Literal["transnas_micro"] = "transnas_micro"
    form: Literal["tensor", "edge"] = Field(
        "tensor",
        title="Layers",
        description="tensor: each layer has the edges of one tensor (4, 16, 64 options); edge: one edge per layer",
    )
    channels: int = Field(
        64, ge=4, le=128, title="Channels", description="width of the full network's stem; 64 as published"
    )


class TransNasMacroOptions(Options):
    """TransNAS-Bench-101, macro: four to six modules, each of which may double the channels and halve the map."""

    kind: Literal["transnas_macro"] = "transnas_macro"
    channels: int = Field(
        64, ge=4, le=128, title="Channels", description="width of the full network's stem; 64 as published"
    )


class MobileNetOptions(Options):
    """LayerNAS's MobileNet spaces: blocks choose output filters, and layers choose kernel and expanded filters."""

    kind: Literal["mobilenet"] = "mobilenet"
    variant: Literal["60m", "220m", "300m", "600m"] = Field(
        "60m",
        title="Variant",
        description="target in millions of multiply-adds, for images of 224x224: "
        "60m MobileNetV3-Small, 220m MobileNetV3-Large, 300m MobileNetV2, 600m MobileNetV2 1.4x",
    )
    squeeze_excitation: bool = Field(
        True, title="Squeeze-excitation", description="a learned gate on the expanded filters of every layer"
    )
    activation: Literal["swish", "relu"] = Field("swish", title="Activation", description="swish is the paper's choice")


class MoteMobileOptions(Options):
    """MOTE's open MobileNetV3 space: each of five stages chooses expansion, kernel and attention (32,768 networks)."""

    kind: Literal["mote_mobile"] = "mote_mobile"


class StoredDefinition(dict[str, Any]):
    """The definition of a chain in a stored document; its numbers have the values that they had when it was stored."""


class ChainOptions(Options):
    """A chain of layers that you define, each with named options built from blocks (`engine.spaces.chain`)."""

    kind: Literal["chain"] = "chain"
    definition: dict[str, Any] = Field(
        title="Definition", description="the space as YAML or JSON: name, stem, layers, head"
    )

    @field_validator("definition")
    @classmethod
    def _remembered(cls, definition: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return StoredDefinition(definition) if is_stored(info) else definition


SpaceOptions = Annotated[
    NasBench201Options
    | NasBench101Options
    | NatsSizeOptions
    | DartsOptions
    | TransNasMicroOptions
    | TransNasMacroOptions
    | MobileNetOptions
    | MoteMobileOptions
    | ChainOptions,
    Field(discriminator="kind"),
]
