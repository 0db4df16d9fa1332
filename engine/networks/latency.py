"""Latency measured on this machine: single operators for a table, and whole networks to check the table's sums.

Both are timed in the same way: module in evaluation mode, no gradients, random images, a warm-up, then the median of
repeated passes. Operators are modules of `engine.networks.build`, the same ones that a built network runs, except that
a timed activation always writes a new map. Other load on the machine makes all times longer, so measure on an idle
machine.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from types import MappingProxyType

import torch
from torch import Tensor, nn

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Node, Shape
from engine.config.latency import LatencyOptions
from engine.errors import ConfigError, EstimateError, Stopped
from engine.networks.build import build, module_of
from engine.networks.plan import Step
from engine.operators import ATTRIBUTES, Operator
from engine.stopping import Stop, never
from engine.training import device_name

LEAST_REPEATS = 3


@dataclass(frozen=True)
class Timing:
    """Milliseconds per pass: the median of ``repeats`` passes, and their lower and upper quartiles."""

    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int


def measure_operators(
    operators: Iterable[Operator], options: LatencyOptions, stop: Stop = never
) -> Iterator[tuple[Operator, Timing]]:
    """Yield each operator with its time as soon as it is measured.

    Raises Stopped between two operators when ``stop()`` is true.
    """
    device = _device(options)
    for operator in operators:
        if stop():
            raise Stopped("stopped between two operators")
        with _threads(options.threads), torch.inference_mode():
            module = operator_module(operator).to(device).eval()
            inputs = [torch.rand(options.batch_size, *shape, device=device) for shape in operator.shapes]
            yield operator, _timed(module, inputs, options, device, stop)


def measure_network(blueprint: Blueprint, options: LatencyOptions, stop: Stop = never) -> Timing:
    """Return the time of a whole network; raises Stopped between two passes when ``stop()`` is true."""
    device = _device(options)
    spec = blueprint.input
    with _threads(options.threads), torch.inference_mode():
        network = build(blueprint, seed=0).to(device).eval()
        images = torch.rand(options.batch_size, spec.channels, spec.height, spec.width, device=device)
        return _timed(network, [images], options, device, stop)


def operator_module(operator: Operator) -> nn.Module:
    """Return the module that computes an operator."""
    shapes = [Shape(*shape) for shape in operator.shapes]
    inputs = [Node(f"input_{i}", "input", (), shape) for i, shape in enumerate(shapes)]
    attrs = MappingProxyType(dict(zip(ATTRIBUTES[operator.op], operator.attrs, strict=True)))
    node = Node("timed", operator.op, tuple(n.name for n in inputs), _output(operator, shapes, attrs), attrs)
    blueprint = Blueprint(InputSpec(shapes[0].channels, shapes[0].height, shapes[0].width), (*inputs, node))
    return module_of(blueprint, Step(node, node.inputs, flat=True))


def machine(options: LatencyOptions) -> str:
    """Describe the device and the software that produced the numbers."""
    name = device_name(_device(options))
    processor = f" ({_processor()})" if options.device == "cpu" else ""
    return f"{name}{processor}, torch {torch.__version__}"


def _output(
    operator: Operator, shapes: Sequence[Shape], attrs: MappingProxyType[str, int | float | bool | str]
) -> Shape:
    first = shapes[0]
    if operator.op == "concat":
        return Shape(sum(shape.channels for shape in shapes), first.height, first.width)
    if operator.op in ("add", "multiply"):
        return first
    b = BlueprintBuilder(InputSpec(first.channels, first.height, first.width))
    append: Callable[..., str] = getattr(b, operator.op)
    return b.shape(append(b.input, **attrs))


def _timed(
    module: nn.Module, inputs: Sequence[Tensor], options: LatencyOptions, device: torch.device, stop: Stop
) -> Timing:
    milliseconds: list[float] = []
    try:
        _passes(module, inputs, options.warmup, device)
        end = perf_counter() + options.seconds
        while len(milliseconds) < options.repeats and (len(milliseconds) < LEAST_REPEATS or perf_counter() < end):
            if stop():
                raise Stopped("stopped between two passes")
            milliseconds.append(_passes(module, inputs, 1, device))
    except RuntimeError as error:
        raise EstimateError(f"a pass failed: {str(error).partition(chr(10))[0][:300]}") from error
    low, median, high = quantiles(milliseconds, n=4, method="inclusive")
    return Timing(median, low, high, len(milliseconds))


def _passes(module: nn.Module, inputs: Sequence[Tensor], count: int, device: torch.device) -> float:
    """Return the milliseconds of ``count`` passes; the device is idle before and after them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = perf_counter()
    for _ in range(count):
        module(*inputs)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (perf_counter() - begin) * 1e3


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _device(options: LatencyOptions) -> torch.device:
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError.at("device", "This machine has no GPU that torch can use; measure on the CPU.")
    return torch.device(options.device)


def _processor() -> str:
    """Return the processor's name as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(names, "") or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
