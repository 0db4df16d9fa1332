"""A network as data: the description from which costs, torch modules, ``model.py`` and drawings are made.

A `Blueprint` is a directed acyclic graph of `Node`s in topological order, for one image (no batch dimension).
`BlueprintBuilder` appends nodes, infers each output `Shape` and refuses nodes that cannot be built. Operations:

===============  =====================================================================================
op               attributes (inputs: one unless stated)
===============  =====================================================================================
input            -  (no inputs)
conv2d           out_channels, kernel, stride, padding, groups, dilation, bias
batch_norm       -
activation       function: relu, relu6, gelu, swish, hard_swish, sigmoid, hard_sigmoid
max_pool         kernel, stride, padding
avg_pool         kernel, stride, padding (padding is not counted in the mean)
global_avg_pool  -  (to 1x1)
add              -  (two or more inputs of one shape)
multiply         -  (a map and a gate, which has one value per channel, or one per value of the map)
concat           -  (two or more inputs of one height and width)
truncate         channels: keeps this many channels, the first ones
shift            -  (the map moved up and left by one pixel, with zeros at the other edges)
zeros            stride: zeros in the input's shape, with each side divided by the stride and rounded up
dropout          rate
linear           out_features (flattens its input first)
===============  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.errors import ArchitectureError

ACTIVATIONS = ("relu", "relu6", "gelu", "swish", "hard_swish", "sigmoid", "hard_sigmoid")
Attribute = int | float | bool | str


@dataclass(frozen=True)
class Shape:
    """Channels, height and width of one image's feature map."""

    channels: int
    height: int
    width: int

    @property
    def elements(self) -> int:
        """Number of values in the map."""
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class InputSpec:
    """Input and output of a network: image shape ``(channels, height, width)`` and number of classes."""

    channels: int = 3
    height: int = 32
    width: int = 32
    classes: int = 10

    @property
    def shape(self) -> Shape:
        """The input image's shape."""
        return Shape(self.channels, self.height, self.width)


@dataclass(frozen=True)
class Node:
    """One operation.

    ``layer`` is the search layer whose decision added the node (None for stem, head and fixed parts). ``group`` is the
    name of its part in drawings (``stem``, ``stage 1 cell 2``).
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: Shape
    attrs: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))
    layer: int | None = None
    group: str = ""

    def integer(self, attribute: str) -> int:
        """Return an integer attribute."""
        return int(self.attrs[attribute])


@dataclass(frozen=True)
class Blueprint:
    """The nodes in topological order; the last one is the output (class scores).

    With ``features`` the network returns the maps of these nodes instead of class scores (`engine.export.backbone`).
    """

    input: InputSpec
    nodes: tuple[Node, ...]
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})

    def __getitem__(self, name: str) -> Node:
        by_name: dict[str, Node] = self._by_name  # type: ignore[attr-defined]
        return by_name[name]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def output(self) -> Node:
        """The last node, whose value the network returns unless it returns features."""
        return self.nodes[-1]

    @property
    def returned(self) -> tuple[str, ...]:
        """Names of the nodes whose values the network returns."""
        return self.features or (self.nodes[-1].name,)

    def operands(self, node: Node) -> tuple[str, ...]:
        """Return the names of a node's inputs; inputs of a sum that are zeros are left out, for they add nothing."""
        if node.op != "add":
            return node.inputs
        return tuple(name for name in node.inputs if self[name].op != "zeros") or node.inputs[:1]


class BlueprintBuilder:
    """Appends nodes and infers shapes; every method returns the new node's name."""

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self._nodes: dict[str, Node] = {}
        self._counts: dict[str, int] = {}
        self._layer: int | None = None
        self._group = "stem"
        self.input = self._append("input", (), spec.shape)

    @contextmanager
    def part(self, group: str, layer: int | None = None) -> Iterator[None]:
        """Give the nodes appended inside the block a group and, if a decision added them, its layer."""
        before = self._group, self._layer
        self._group = group
        self._layer = layer
        try:
            yield
        finally:
            self._group, self._layer = before

    def shape(self, name: str) -> Shape:
        """Return the output shape of a node."""
        return self._nodes[name].shape

    def conv2d(
        self,
        x: str,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
        padding: int | None = None,
        dilation: int = 1,
    ) -> str:
        """Append a convolution; ``padding`` None means ``kernel // 2`` times the dilation."""
        s = self.shape(x)
        padding = dilation * (kernel // 2) if padding is None else padding
        if s.channels % groups or out_channels % groups:
            raise ArchitectureError(f"{groups} groups do not divide {s.channels} -> {out_channels} channels")
        attrs = {"out_channels": out_channels, "kernel": kernel, "stride": stride, "padding": padding}
        shape = self._window(x, out_channels, dilation * (kernel - 1) + 1, stride, padding)
        return self._append("conv2d", (x,), shape, **attrs, groups=groups, dilation=dilation, bias=bias)

    def depthwise(self, x: str, kernel: int, stride: int = 1, dilation: int = 1) -> str:
        """Append a depthwise convolution, which convolves every channel separately."""
        channels = self.shape(x).channels
        return self.conv2d(x, channels, kernel, stride, groups=channels, dilation=dilation)

    def batch_norm(self, x: str) -> str:
        """Append batch normalisation with a learned scale and shift."""
        return self._append("batch_norm", (x,), self.shape(x))

    def activation(self, x: str, function: str = "relu") -> str:
        """Append a pointwise non-linearity, one of `ACTIVATIONS`."""
        if function not in ACTIVATIONS:
            raise ArchitectureError(f"activation '{function}' is not one of {', '.join(ACTIVATIONS)}")
        return self._append("activation", (x,), self.shape(x), function=function)

    def conv_bn(
        self,
        x: str,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        function: str | None = "relu",
    ) -> str:
        """Append convolution, batch norm and, unless ``function`` is None, an activation."""
        x = self.batch_norm(self.conv2d(x, out_channels, kernel, stride, groups))
        return x if function is None else self.activation(x, function)

    def max_pool(self, x: str, kernel: int, stride: int | None = None, padding: int = 0) -> str:
        """Append a maximum over windows; ``stride`` None means ``kernel``."""
        return self._pool("max_pool", x, kernel, stride, padding)

    def avg_pool(self, x: str, kernel: int, stride: int | None = None, padding: int = 0) -> str:
        """Append a mean over windows, which does not count padding; ``stride`` None means ``kernel``."""
        return self._pool("avg_pool", x, kernel, stride, padding)

    def global_avg_pool(self, x: str) -> str:
        """Append the mean over the whole map."""
        return self._append("global_avg_pool", (x,), Shape(self.shape(x).channels, 1, 1))

    def add(self, inputs: Sequence[str]) -> str:
        """Append the sum of maps of the same shape; a single input is returned unchanged."""
        shapes = {self.shape(x) for x in inputs}
        if len(shapes) != 1:
            raise ArchitectureError(f"only maps of the same shape can be added, not {sorted(map(str, shapes))}")
        return inputs[0] if len(inputs) == 1 else self._append("add", tuple(inputs), shapes.pop())

    def multiply(self, x: str, gate: str) -> str:
        """Append a map multiplied by a gate: per channel with a 1x1 gate (squeeze-excitation), or per value."""
        shape = self.shape(x)
        gates = self.shape(gate)
        if gates not in (shape, Shape(shape.channels, 1, 1)):
            raise ArchitectureError(f"a gate of {gates} does not fit a map of {shape}")
        return self._append("multiply", (x, gate), shape)

    def concat(self, inputs: Sequence[str]) -> str:
        """Append the concatenation along the channels of maps with the same height and width."""
        shapes = [self.shape(x) for x in inputs]
        if len({(s.height, s.width) for s in shapes}) != 1:
            raise ArchitectureError("only maps of the same height and width can be concatenated")
        total = Shape(sum(s.channels for s in shapes), shapes[0].height, shapes[0].width)
        return inputs[0] if len(inputs) == 1 else self._append("concat", tuple(inputs), total)

    def truncate(self, x: str, channels: int) -> str:
        """Append the first ``channels`` channels of a map; with all channels, return the map unchanged."""
        s = self.shape(x)
        if not 0 < channels <= s.channels:
            raise ArchitectureError(f"a map of {s.channels} channels cannot be cut to {channels}")
        cut = Shape(channels, s.height, s.width)
        return x if cut == s else self._append("truncate", (x,), cut, channels=channels)

    def shift(self, x: str) -> str:
        """Append the map moved up and left by one pixel; a strided convolution after it then reads the odd pixels."""
        return self._append("shift", (x,), self.shape(x))

    def zeros(self, x: str, stride: int = 1) -> str:
        """Append zeros in the input's shape, with each side divided by ``stride`` and rounded up."""
        s = self.shape(x)
        shape = Shape(s.channels, -(-s.height // stride), -(-s.width // stride))
        return self._append("zeros", (x,), shape, stride=stride)

    def dropout(self, x: str, rate: float) -> str:
        """Append dropout, which is active only in training."""
        return self._append("dropout", (x,), self.shape(x), rate=rate)

    def linear(self, x: str, out_features: int) -> str:
        """Append a fully connected layer with bias on the flattened map."""
        return self._append("linear", (x,), Shape(out_features, 1, 1), out_features=out_features)

    def head(self, x: str) -> str:
        """Append global average pooling and the classifier."""
        with self.part("head"):
            return self.linear(self.global_avg_pool(x), self.spec.classes)

    def build(self) -> Blueprint:
        """Return the finished blueprint; its output is the last node."""
        return Blueprint(self.spec, tuple(self._nodes.values()))

    def _pool(self, op: str, x: str, kernel: int, stride: int | None, padding: int) -> str:
        stride = kernel if stride is None else stride
        shape = self._window(x, self.shape(x).channels, kernel, stride, padding)
        return self._append(op, (x,), shape, kernel=kernel, stride=stride, padding=padding)

    def _window(self, x: str, channels: int, kernel: int, stride: int, padding: int) -> Shape:
        s = self.shape(x)
        height, width = ((side + 2 * padding - kernel) // stride + 1 for side in (s.height, s.width))
        if min(channels, kernel, stride, height, width) < 1:
            raise ArchitectureError(
                f"a {kernel}x{kernel} window of stride {stride} does not fit a map of {s.height}x{s.width}; "
                "use larger images or fewer strided layers"
            )
        return Shape(channels, height, width)

    def _append(self, op: str, inputs: tuple[str, ...], shape: Shape, **attrs: Attribute) -> str:
        number = self._counts[op] = self._counts.get(op, 0) + 1
        name = op if op == "input" else f"{op}_{number}"
        self._nodes[name] = Node(name, op, inputs, shape, MappingProxyType(attrs), self._layer, self._group)
        return name
