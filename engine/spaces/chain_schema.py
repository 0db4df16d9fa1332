"""The document of a chain space: its fields and their limits (`engine.spaces.chain` documents it for users)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from engine.blueprint import ACTIVATIONS
from engine.config.base import Options

MAX_LAYERS = 100
MAX_OPTIONS = 1_000


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError(f"a kernel of {kernel} has no centre; use an odd number (1, 3, 5, 7, ...)")
    return kernel


def _odd_or_two(kernel: int) -> int:
    if kernel != 2 and kernel % 2 == 0:
        raise ValueError(f"a pool takes kernel 2 or an odd number (3, 5, 7, ...), not {kernel}")
    return kernel


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"'{name}' is no activation; choose one of {', '.join(ACTIVATIONS)}")
    return name


def _text(label: Any) -> Any:
    return str(label) if isinstance(label, int) and not isinstance(label, bool) else label


def _label(label: str) -> str:
    if not label.isascii() or not label.replace("_", "a").isalnum():
        raise ValueError(f"'{label}' is no label; use letters A-Z and a-z, digits and underscores only")
    return label


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _named_blocks(options: Any) -> Any:
    """Options given as ``label: block parameters`` become a list; a bare text is the name of a block."""
    if not isinstance(options, Mapping):
        return options
    return [
        {"label": key, **_block(value)} if isinstance(_block(value), Mapping) else value
        for key, value in options.items()
    ]


def _block(value: Any) -> Any:
    return {"block": value} if isinstance(value, str) else value


def _named_widths(options: Any) -> Any:
    """Widths given as numbers are labelled ``w32``; as ``label: width`` they carry the user's labels."""
    if isinstance(options, Mapping):
        return [{"label": key, "width": value} for key, value in options.items()]
    if isinstance(options, list):
        return [o if isinstance(o, Mapping) else {"label": f"w{o}", "width": o} for o in options]
    return options


T = TypeVar("T")
Many = Annotated[tuple[T, ...], BeforeValidator(_listed), Field(min_length=1)]
"""One value, or a list of them."""
Several = Field(min_length=1, max_length=MAX_OPTIONS)
Label = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=100), AfterValidator(_label)]
Activation = Annotated[str, AfterValidator(_known_activation)]
Width = Annotated[int, Field(strict=True, ge=1, le=8192)]
Stride = Annotated[int, Field(strict=True, ge=1, le=8)]
Kernel = Annotated[int, Field(strict=True, ge=1, le=31), AfterValidator(_odd)]
PoolKernel = Annotated[int, Field(strict=True, ge=2, le=31), AfterValidator(_odd_or_two)]
Share = Annotated[float, Field(ge=0, le=1)]
Expansion = Annotated[float, Field(gt=0, le=32)]


class BlockModel(Options):
    """What all blocks have. Fields that take a list stand for several options, one for each combination."""

    label: Label
    stride: Many[Stride] | None = None


class PlainConv(BlockModel):
    """A convolution, batch norm and an activation; or the same with a depthwise convolution in front."""

    block: Literal["conv", "separable_conv"]
    kernel: Many[Kernel] = (3,)
    width: Many[Width] | None = None
    activation: Activation | None = None


class InvertedResidual(BlockModel):
    """MobileNet's block: expand, depthwise convolution, project."""

    block: Literal["inverted_residual"]
    kernel: Many[Kernel] = (3,)
    width: Many[Width] | None = None
    activation: Activation | None = None
    expansion: Many[Expansion] | None = None
    hidden: Many[Width] | None = None
    squeeze_excitation: Many[Share] = (0.0,)

    @model_validator(mode="after")
    def _one_hidden_width(self) -> Self:
        if self.expansion is not None and self.hidden is not None:
            raise ValueError("give expansion (a factor) or hidden (a number of channels), not both")
        return self


class Pool(BlockModel):
    """Maximum or mean over windows."""

    block: Literal["max_pool", "avg_pool"]
    kernel: Many[PoolKernel] = (3,)


class Identity(Options):
    """The map as it is."""

    label: Label
    block: Literal["identity"]


AnyBlock = Annotated[PlainConv | InvertedResidual | Pool | Identity, Field(discriminator="block")]


class SearchedLayer(Options):
    """A decision between blocks."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    stride: Stride = 1
    repeat: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    default: Annotated[str, BeforeValidator(_text)] | None = None
    options: Annotated[
        tuple[AnyBlock, ...], BeforeValidator(_named_blocks), Field(min_length=1, max_length=MAX_OPTIONS)
    ]


class WidthOption(Options):
    """One width of a virtual layer."""

    label: Label
    width: Width


class VirtualLayer(Options):
    """A decision about the width that the layers below it share (LayerNAS, appendix E.3)."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    virtual: Literal["width"]
    default: Annotated[str, BeforeValidator(_text)] | None = None
    options: Annotated[tuple[WidthOption, ...], BeforeValidator(_named_widths), Several]


def _kind_of_layer(layer: Any) -> str:
    return "virtual layer" if isinstance(layer, Mapping) and "virtual" in layer else "searched layer"


AnyLayer = Annotated[
    Annotated[SearchedLayer, Tag("searched layer")] | Annotated[VirtualLayer, Tag("virtual layer")],
    Discriminator(_kind_of_layer),
]


class Stem(Options):
    """A convolution, batch norm and an activation in front of the first layer."""

    width: Width
    kernel: Kernel = 3
    stride: Stride = 1


class Head(Options):
    """What stands between the last layer and the classifier."""

    width: Width | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Definition(Options):
    """The whole document."""

    name: Annotated[str, Field(max_length=200)] = "chain"
    activation: Activation = "relu"
    stem: Stem | None = None
    layers: Annotated[tuple[AnyLayer, ...], Field(min_length=1, max_length=MAX_LAYERS)]
    head: Head = Head()
