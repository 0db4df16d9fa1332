"""Operators: the pieces that a network computes, with the names that latency tables use for them.

An `Operator` is a node of a blueprint without its place: the operation, the shapes of its inputs for one image, and
its attributes. Its name is ``conv2d 16x32x32 bias=0 dilation=1 groups=1 kernel=3 out_channels=32 padding=1 stride=2``:
operation, input shapes ``channels x height x width`` joined by ``+``, attributes in alphabetical order. So the same
layer in two spaces, or twice in one network, is one operator. The input and dropout are no operators, for they compute
nothing when a network is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.blueprint import ACTIVATIONS, Attribute, Node, Shape
from engine.errors import ArchitectureError

WINDOW = ("kernel", "padding", "stride")
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "conv2d": ("bias", "dilation", "groups", "kernel", "out_channels", "padding", "stride"),
    "batch_norm": (),
    "activation": ("function",),
    "max_pool": WINDOW,
    "avg_pool": WINDOW,
    "global_avg_pool": (),
    "add": (),
    "multiply": (),
    "concat": (),
    "truncate": ("channels",),
    "shift": (),
    "zeros": ("stride",),
    "linear": ("out_features",),
}
"""Every operation that takes time, with its attributes in alphabetical order."""


class Operator(NamedTuple):
    """One operation on inputs of given shapes; equal operators take equal time."""

    op: str
    shapes: tuple[tuple[int, int, int], ...]
    attrs: tuple[Attribute, ...] = ()
    """Values of the operation's `ATTRIBUTES`, in that order."""

    @property
    def name(self) -> str:
        """The operator's name in a table; `parse` is the inverse."""
        shapes = "+".join("x".join(map(str, shape)) for shape in self.shapes)
        values = (int(value) if isinstance(value, bool) else value for value in self.attrs)
        attrs = (f"{name}={value}" for name, value in zip(ATTRIBUTES[self.op], values, strict=True))
        return " ".join((self.op, shapes, *attrs))

    @classmethod
    def parse(cls, name: str) -> Operator:
        """Return the operator of a name; ArchitectureError says which part of the name is wrong."""
        op, shapes, *attrs = [*name.split(), "", ""][: max(2, len(name.split()))]
        if op not in ATTRIBUTES:
            raise ArchitectureError(f"'{op}' is no operation; choose one of {', '.join(ATTRIBUTES)}")
        given = dict(attr.partition("=")[::2] for attr in attrs)
        if len(given) != len(attrs) or set(given) != set(ATTRIBUTES[op]):
            wanted = " ".join(f"{attribute}=..." for attribute in ATTRIBUTES[op])
            raise ArchitectureError(
                f"'{name}': {op} is written '{op} CHANNELSxHEIGHTxWIDTH {wanted}'".rstrip(" '") + "'"
            )
        values = tuple(_value(name, attribute, given[attribute]) for attribute in ATTRIBUTES[op])
        return cls(op, tuple(_shape(name, part) for part in shapes.split("+")), values)


def operator(node: Node, inputs: Iterable[Shape]) -> tuple[Operator, ...]:
    """Return the operator of a node behind maps of the given shapes as a tuple; empty for a node that takes no time."""
    attributes = ATTRIBUTES.get(node.op)
    if attributes is None:
        return ()
    shapes = tuple((shape.channels, shape.height, shape.width) for shape in inputs)
    return (Operator(node.op, shapes, tuple(node.attrs[name] for name in attributes)),)


def _value(name: str, attribute: str, text: str) -> Attribute:
    if attribute == "function":
        if text not in ACTIVATIONS:
            raise ArchitectureError(f"'{name}': function must be one of {', '.join(ACTIVATIONS)}")
        return text
    if not (text.isdecimal() and len(text) < 10):
        raise ArchitectureError(f"'{name}': {attribute} must be a whole number")
    return int(text) != 0 if attribute == "bias" else int(text)


def _shape(name: str, text: str) -> tuple[int, int, int]:
    sides = text.split("x")
    if len(sides) != 3 or not all(side.isdecimal() and 0 < len(side) < 10 for side in sides):
        raise ArchitectureError(f"'{name}': '{text}' is no shape; write CHANNELSxHEIGHTxWIDTH, for example 16x32x32")
    channels, height, width = map(int, sides)
    return channels, height, width
