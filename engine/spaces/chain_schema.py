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
        raise ValueError(f"A kernel of {kernel} has no centre; use an odd number (1, 3, 5, 7, ...)")
    return kernel


def _odd_or_two(kernel: int) -> int:
    if kernel != 2 and kernel % 2 == 0:
        raise ValueError(f"A pool takes kernel 2 or an odd number (3, 5, 7, ...), not {kernel}")
    return kernel


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"'{name}' is no activation; choose one of {', '.join(ACTIVATIONS)}")
    return name


def _text(label: Any) -> Any:
    if isinstance(label, bool):
        raise ValueError("YAML reads this as true or false; put it in quotes")
    return str(label) if isinstance(label, int) else label


def _label(label: str) -> str:
    if not label.isascii() or not label.replace("_", "a").isalnum():
        raise ValueError(f"'{label}' is no label; use letters A-Z and a-z, digits and underscores only")
    return label


def _listed(value: Any) -> Any:
    return _counted(value) if isinstance(value, list | tuple) else [value]


def _counted(values: Any, most: int = MAX_OPTIONS) -> Any:
    """Refuse empty and overlong lists before their entries are checked."""
    if isinstance(values, list | tuple) and not 1 <= len(values) <= most:
        raise ValueError(f"{len(values)} entries are given; give 1 to {most}")
    return values


def _counted_layers(layers: Any) -> Any:
    return _counted(layers, MAX_LAYERS)


def _named_blocks(options: Any) -> Any:
    """Turn options given as ``label: block parameters`` into a list; a plain text is the name of a block."""
    if not isinstance(options, Mapping):
        return _counted(options)
    blocks = {label: {"block": value} if isinstance(value, str) else value for label, value in options.items()}
    if doubled := [label for label, block in blocks.items() if isinstance(block, Mapping) and "label" in block]:
        raise ValueError(f"'{doubled[0]}' is already the label; remove the field label")
    return _counted([{"label": k, **v} if isinstance(v, Mapping) else v for k, v in blocks.items()])


def _named_widths(options: Any) -> Any:
    """Label widths given as numbers ``w32``; widths given as ``label: width`` keep the user's labels."""
    if isinstance(options, Mapping):
        options = [{"label": key, "width": value} for key, value in options.items()]
    if isinstance(options, list):
        options = [o if isinstance(o, Mapping) else {"label": f"w{o}", "width": o} for o in options]
    return _counted(options)


T = TypeVar("T")
Many = Annotated[tuple[T, ...], BeforeValidator(_listed)]
"""One value, or a list of them."""
Label = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=100), AfterValidator(_label)]
Activation = Annotated[str, AfterValidator(_known_activation)]
Width = Annotated[int, Field(strict=True, ge=1, le=8192)]
Stride = Annotated[int, Field(strict=True, ge=1, le=8)]
Kernel = Annotated[int, Field(strict=True, ge=1, le=31), AfterValidator(_odd)]
PoolKernel = Annotated[int, Field(strict=True, ge=2, le=31), AfterValidator(_odd_or_two)]
Share = Annotated[float, Field(ge=0, le=1)]
Expansion = Annotated[float, Field(gt=0, le=32)]


class BlockModel(Options):
    """Fields common to all blocks. A field given as a list makes one option for each combination of values."""

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
            raise ValueError("Give expansion (a factor) or hidden (a number of channels), not both")
        return self


class Pool(BlockModel):
    """Maximum or average pooling."""

    block: Literal["max_pool", "avg_pool"]
    kernel: Many[PoolKernel] = (3,)


class Identity(Options):
    """The map unchanged."""

    label: Label
    block: Literal["identity"]


AnyBlock = Annotated[PlainConv | InvertedResidual | Pool | Identity, Field(discriminator="block")]


class SearchedLayer(Options):
    """A decision between blocks."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    stride: Stride = 1
    repeat: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    default: Annotated[str, BeforeValidator(_text)] | None = None
    options: Annotated[tuple[AnyBlock, ...], BeforeValidator(_named_blocks)]


class WidthOption(Options):
    """One width of a virtual layer."""

    label: Label
    width: Width


class VirtualLayer(Options):
    """A decision about the width that the layers below it share (LayerNAS, appendix E.3)."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    virtual: Literal["width"]
    default: Annotated[str, BeforeValidator(_text)] | None = None
    options: Annotated[tuple[WidthOption, ...], BeforeValidator(_named_widths)]


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
    """The part between the last layer and the classifier."""

    width: Width | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Definition(Options):
    """The whole document."""

    name: Annotated[str, Field(max_length=200)] = "chain"
    activation: Activation = "relu"
    stem: Stem | None = None
    layers: Annotated[tuple[AnyLayer, ...], BeforeValidator(_counted_layers)]
    head: Head | None = None
