"""A blueprint as a torch module: submodules have the names of the nodes, and the forward pass follows the plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.blueprint import Blueprint, Node, Shape
from engine.networks.plan import Step, plan

Initialisation = Literal["default", "glorot"]


class Add(nn.Module):
    """The sum of maps of the same shape."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Return the sum of maps ``(B, C, H, W)``; a single map is returned unchanged."""
        for other in others:
            first = first + other
        return first


class Multiply(nn.Module):
    """A map multiplied by a gate."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        """Return ``(B, C, H, W)`` times ``(B, C, 1, 1)`` or ``(B, C, H, W)``."""
        return x * gate


class Concat(nn.Module):
    """Maps concatenated along the channels."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return maps ``(B, C_i, H, W)`` as ``(B, sum of C_i, H, W)``."""
        return torch.cat(inputs, dim=1)


class Truncate(nn.Module):
    """The first channels of a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, channels, H, W)`` of ``(B, C, H, W)``."""
        return x[:, : self.channels]


class Shift(nn.Module):
    """A map moved up and left by one pixel, with zeros at the other edges."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the moved map ``(B, C, H, W)``."""
        return functional.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))


class Zeros(nn.Module):
    """Zeros of a fixed shape for each image."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros ``(B, C, H, W)`` with batch size, type and device of ``x``."""
        return x.new_zeros((x.shape[0], self.shape.channels, self.shape.height, self.shape.width))


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution with a stride; when gradients are needed, it selects the pixels first and uses no stride.

    This avoids a fault of oneDNN: its gradient for such a convolution writes beyond its memory if the map is
    channels-last and has fewer than 8 (AVX2) or 16 (AVX-512) input channels. The weights are then wrong, or the process
    ends (oneDNN issue 6035, in torch 2.14).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C', ceil(H / stride), ceil(W / stride))`` of ``(B, C, H, W)``."""
        if not torch.is_grad_enabled() or torch.compiler.is_exporting():
            return super().forward(x)
        vertical, horizontal = self.stride
        return functional.conv2d(x[:, :, ::vertical, ::horizontal], self.weight, self.bias, groups=self.groups)


class FlatLinear(nn.Linear):
    """A fully connected layer on the flattened map."""

    def __init__(self, in_features: int, out_features: int, flat: bool) -> None:
        super().__init__(in_features, out_features)
        self.flat = flat

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, F)`` of ``(B, ...)``, or the map ``(B, F, 1, 1)`` if map operations follow."""
        x = super().forward(x.flatten(1))
        return x if self.flat else x[:, :, None, None]


class Network(nn.Module):
    """The network of a blueprint; it maps images ``(B, C, H, W)`` to logits ``(B, classes)`` or to feature maps."""

    def __init__(self, blueprint: Blueprint, batch_norm_momentum: float, batch_norm_eps: float) -> None:
        super().__init__()
        steps = plan(blueprint)
        for step in steps:
            self.add_module(step.node.name, module_of(blueprint, step, batch_norm_momentum, batch_norm_eps))
        self._steps = [(step.node.name, step.inputs, step.finished) for step in steps]
        self._input = blueprint.nodes[0].name
        self._output = blueprint.output.name
        self._features = blueprint.features

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return logits, or the blueprint's features in their order; each value is freed after its last use."""
        values = {self._input: images}
        for name, inputs, finished in self._steps:
            values[name] = self._modules[name](*[values[source] for source in inputs])  # type: ignore[misc]
            for unneeded in finished:
                del values[unneeded]
        if self._features:
            return tuple(values[name] for name in self._features)
        return values[self._output].flatten(1)


def build(
    blueprint: Blueprint,
    *,
    seed: int | None = None,
    batch_norm_momentum: float = 0.1,
    batch_norm_eps: float = 1e-5,
    initialisation: Initialisation = "default",
    running_statistics: bool = True,
) -> Network:
    """Return the module on the CPU, in training mode.

    With a seed, the initial weights are the same every time, and torch's global generator is not changed. The
    initialisation ``default`` is torch's own; ``glorot`` is that of Keras (Glorot uniform weights, zero biases), with
    which MOTE was published. Without ``running_statistics``, batch norm uses each batch's own statistics, also in
    evaluation.
    """
    with _seeded(seed):
        network = Network(blueprint, batch_norm_momentum, batch_norm_eps)
        if initialisation == "glorot":
            for module in network.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)
    if not running_statistics:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.track_running_stats = False
                module.running_mean = module.running_var = module.num_batches_tracked = None
    return network


def _seeded(seed: int | None) -> AbstractContextManager[None]:
    return nullcontext() if seed is None else _own_generator(seed)


@contextmanager
def _own_generator(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def module_of(blueprint: Blueprint, step: Step, momentum: float = 0.1, eps: float = 1e-5) -> nn.Module:
    """Return a new module for one step, in training mode."""
    node = step.node
    source = blueprint[node.inputs[0]].shape
    match node.op:
        case "conv2d":
            kernel, stride, padding = _window(node)
            groups = node.integer("groups")
            dilation = node.integer("dilation")
            bias = bool(node.attrs["bias"])
            channels = source.channels, node.shape.channels
            kind = StridedPointwise if kernel == 1 and stride > 1 and not padding else nn.Conv2d
            return kind(*channels, kernel, stride, padding, dilation, groups, bias)
        case "batch_norm":
            return nn.BatchNorm2d(node.shape.channels, eps=eps, momentum=momentum)
        case "activation":
            return _activation(str(node.attrs["function"]), step.in_place)
        case "max_pool":
            return nn.MaxPool2d(*_window(node))
        case "avg_pool":
            return nn.AvgPool2d(*_window(node), count_include_pad=False)
        case "global_avg_pool":
            return nn.AdaptiveAvgPool2d(1)
        case "add":
            return Add()
        case "multiply":
            return Multiply()
        case "concat":
            return Concat()
        case "truncate":
            return Truncate(node.shape.channels)
        case "shift":
            return Shift()
        case "zeros":
            return Zeros(node.shape)
        case "dropout":
            return nn.Dropout(float(node.attrs["rate"]))
        case "linear":
            return FlatLinear(source.elements, node.shape.channels, step.flat)
    raise ValueError(f"no torch module for the operation '{node.op}'")


def _activation(function: str, in_place: bool) -> nn.Module:
    match function:
        case "relu":
            return nn.ReLU(inplace=in_place)
        case "relu6":
            return nn.ReLU6(inplace=in_place)
        case "gelu":
            return nn.GELU()
        case "swish":
            return nn.SiLU()
        case "hard_swish":
            return nn.Hardswish()
        case "sigmoid":
            return nn.Sigmoid()
        case "hard_sigmoid":
            return nn.Hardsigmoid()
    raise ValueError(f"no torch module for the activation '{function}'")


def _window(node: Node) -> tuple[int, int, int]:
    return node.integer("kernel"), node.integer("stride"), node.integer("padding")
