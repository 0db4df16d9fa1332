"""Parse the document of a chain space into a `Chain`; errors name the field of every fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from engine.config.base import STORED, field_errors
from engine.config.spaces import StoredDefinition
from engine.errors import ConfigError, FieldError
from engine.spaces.chain_blocks import KEEPS_CHANNELS, Block, Chain, Layer, Option
from engine.spaces.chain_schema import MAX_OPTIONS, AnyBlock, Definition, Head, SearchedLayer, VirtualLayer

PREFIX = "space.definition"
NO_HEAD = Head()
SUFFIXES = {"kernel": "k", "expansion": "x", "hidden": "h", "width": "w", "stride": "s", "squeeze_excitation": "se"}
"""Letters in front of a listed value, in the labels of the options that a list makes."""


def parse(document: Mapping[str, Any]) -> Chain:
    """Return the chain that a document describes; ConfigError names every faulty field (``space.definition...``).

    Notations of numbers that are refused today are read in a `StoredDefinition` as they were.
    """
    try:
        definition = Definition.model_validate(document, context={STORED: isinstance(document, StoredDefinition)})
    except ValidationError as error:
        raise field_errors(error, PREFIX, document) from error
    layers = [
        _layer(definition, index, document["layers"][index]["options"]) for index in range(len(definition.layers))
    ]
    if errors := [fault for index in range(len(layers)) for fault in _faults(layers, index)]:
        raise ConfigError(errors)
    stem = definition.stem
    head = definition.head or NO_HEAD
    return Chain(
        tuple(layers),
        Block("conv", definition.activation, stem.kernel, stem.stride, stem.width) if stem else None,
        Block("conv", definition.activation, width=head.width) if head.width else None,
        head.dropout,
    )


def _layer(definition: Definition, index: int, written: Any) -> Layer:
    model = definition.layers[index]
    path = f"{PREFIX}.layers.{index}"
    keys = list(written) if isinstance(written, Mapping) else range(len(written))
    options: list[Option] = []
    if isinstance(model, VirtualLayer):
        for key, width in zip(keys, model.options, strict=True):
            options.append(Option(width.label, f"{path}.options.{key}", virtual=width.width))
    else:
        for key, option in zip(keys, model.options, strict=True):
            options += _variants(definition.activation, model, option, f"{path}.options.{key}")
    if len(options) > MAX_OPTIONS:
        raise ConfigError.at(
            f"{path}.options", f"The lists make {len(options)} options, but at most {MAX_OPTIONS} are allowed."
        )
    return Layer(model.name or f"layer {index + 1}", path, tuple(options), model.default)


def _variants(activation: str, layer: SearchedLayer, option: AnyBlock, path: str) -> Iterator[Option]:
    """Yield the options of one entry, one for each combination of its listed values."""
    given = {name: getattr(option, name, None) for name in SUFFIXES}
    lists = {name: values for name, values in given.items() if values is not None}
    lists.setdefault("stride", (layer.stride,))
    if prod(map(len, lists.values())) > MAX_OPTIONS:
        raise ConfigError.at(path, f"The lists make more than {MAX_OPTIONS} options; shorten them.")
    function = getattr(option, "activation", None) or activation
    for values in product(*lists.values()):
        chosen = dict(zip(lists, values, strict=True))
        listed = (_suffix(name, value) for name, value in chosen.items() if len(lists[name]) > 1)
        block = Block(option.block, function, repeat=layer.repeat, **chosen)
        yield Option("_".join((option.label, *listed)), path, block)


def _suffix(name: str, value: float) -> str:
    number = round(100 * value) if name == "squeeze_excitation" else value
    return SUFFIXES[name] + f"{number:g}".replace(".", "_")


def _faults(layers: list[Layer], index: int) -> Iterator[FieldError]:
    layer = layers[index]
    if any(other.name == layer.name for other in layers[:index]):
        yield FieldError(f"{layer.path}.name", f"Another layer is called '{layer.name}'; names must differ.")
    labels: set[str] = set()
    twins: dict[tuple[Block | None, int | None], str] = {}
    for option in layer.options:
        if option.label in labels:
            yield FieldError(
                f"{option.path}.label", f"Another option is labelled '{option.label}'; labels must differ."
            )
        elif (option.block, option.virtual) in twins:
            twin = twins[(option.block, option.virtual)]
            yield FieldError(option.path, f"This builds the same as the option '{twin}'; remove one of the two.")
        labels.add(option.label)
        twins[(option.block, option.virtual)] = option.label
    if layer.default is not None and layer.default not in labels:
        known = ", ".join(option.label for option in layer.options[:20])
        yield FieldError(
            f"{layer.path}.default", f"'{layer.default}' is no option of this layer; choose one of {known}."
        )
    if layer.options[0].virtual is not None and not any(_takes_width(option) for option in _governed(layers, index)):
        yield FieldError(f"{layer.path}.virtual", "No layer below uses this width; remove the width of a block below.")


def _governed(layers: list[Layer], index: int) -> Iterator[Option]:
    """Yield the options of the layers between a virtual layer and the next one."""
    for layer in layers[index + 1 :]:
        if layer.options[0].virtual is not None:
            return
        yield from layer.options


def _takes_width(option: Option) -> bool:
    return option.block is not None and option.block.width is None and option.block.kind not in KEEPS_CHANNELS
