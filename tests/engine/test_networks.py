"""Built networks: every operation against torch, seeds, freed values, counted costs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.blueprint import ACTIVATIONS, Blueprint, BlueprintBuilder, InputSpec
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    MoteMobileOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    SpaceOptions,
)
from engine.cost import blueprint_cost
from engine.networks.build import Network, build
from engine.networks.count import count
from engine.networks.plan import plan
from engine.registry import create_space
from engine.spaces.examples import CHAIN_EXAMPLES

SPEC = InputSpec(channels=4, height=9, width=7, classes=3)
SPACES = [
    NasBench201Options(cells=1),
    NatsSizeOptions(),
    DartsOptions(cells=3, channels=4),
    MoteMobileOptions(),
    NasBench101Options(channels=8, cells=2),
    ChainOptions(definition=CHAIN_EXAMPLES["mobile_chain"]),
]
Append = Callable[[BlueprintBuilder, str], str]
Reference = Callable[[Network, Tensor], Tensor]


def blueprint_of(append: Append) -> Blueprint:
    b = BlueprintBuilder(SPEC)
    append(b, b.input)
    return b.build()


def gate(b: BlueprintBuilder, x: str) -> str:
    """Append squeeze-excitation with linear layers, whose output must become a map again."""
    squeezed = b.activation(b.linear(b.global_avg_pool(x), 2))
    return b.multiply(x, b.activation(b.linear(squeezed, 4), "hard_sigmoid"))


def gate_reference(network: Network, x: Tensor) -> Tensor:
    squeezed = F.relu(F.linear(x.mean((2, 3)), network.linear_1.weight, network.linear_1.bias))
    excited = F.linear(squeezed, network.linear_2.weight, network.linear_2.bias)
    return x * F.hardsigmoid(excited)[:, :, None, None]


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda x: x.clamp(min=0),
    "relu6": lambda x: x.clamp(0, 6),
    "gelu": lambda x: x * torch.distributions.Normal(0, 1).cdf(x),
    "swish": lambda x: x / (1 + (-x).exp()),
    "hard_swish": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "hard_sigmoid": lambda x: (x + 3).clamp(0, 6) / 6,
}
OPERATIONS: dict[str, tuple[Append, Reference]] = {
    "conv2d": (
        lambda b, x: b.conv2d(x, 6, 3, stride=2, groups=2, bias=True),
        lambda n, x: F.conv2d(x, n.conv2d_1.weight, n.conv2d_1.bias, stride=2, padding=1, groups=2),
    ),
    "batch_norm": (
        lambda b, x: b.batch_norm(x),
        lambda n, x: F.batch_norm(x, None, None, training=True, eps=1e-5),
    ),
    "max_pool": (lambda b, x: b.max_pool(x, 3, 2, 1), lambda n, x: F.max_pool2d(x, 3, 2, 1)),
    "avg_pool": (
        lambda b, x: b.avg_pool(x, 3, 2, 1),
        lambda n, x: (
            F.avg_pool2d(x, 3, 2, 1, divisor_override=1) / F.avg_pool2d(torch.ones_like(x), 3, 2, 1, divisor_override=1)
        ),
    ),
    "global_avg_pool": (lambda b, x: b.global_avg_pool(x), lambda n, x: x.mean((2, 3))),
    "add": (lambda b, x: b.add([x, b.max_pool(x, 1), x]), lambda n, x: 3 * x),
    "add zeros": (lambda b, x: b.add([b.zeros(x), x]), lambda n, x: x),
    "multiply": (gate, gate_reference),
    "dilated": (
        lambda b, x: b.depthwise(x, 5, stride=2, dilation=2),
        lambda n, x: F.conv2d(x, n.conv2d_1.weight, stride=2, padding=4, dilation=2, groups=4),
    ),
    "multiply by a map": (lambda b, x: b.multiply(x, b.activation(x, "sigmoid")), lambda n, x: x * x.sigmoid()),
    "truncate": (lambda b, x: b.truncate(x, 3), lambda n, x: x[:, :3]),
    "shift": (
        lambda b, x: b.shift(x),
        lambda n, x: torch.cat([torch.cat([x[:, :, 1:, 1:], 0 * x[:, :, 1:, :1]], 3), 0 * x[:, :, :1]], 2),
    ),
    "concat": (lambda b, x: b.concat([x, b.zeros(x), x]), lambda n, x: torch.cat([x, 0 * x, x], 1)),
    "zeros": (lambda b, x: b.zeros(x, stride=2), lambda n, x: torch.zeros(len(x), 4, 5, 4)),
    "linear": (
        lambda b, x: b.linear(x, 5),
        lambda n, x: x.flatten(1) @ n.linear_1.weight.T + n.linear_1.bias,
    ),
    **{
        name: (lambda b, x, name=name: b.activation(x, name), lambda n, x, name=name: FUNCTIONS[name](x))
        for name in ACTIVATIONS
    },
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_equals_its_reference(name: str) -> None:
    append, reference = OPERATIONS[name]
    blueprint = blueprint_of(append)
    network = build(blueprint, seed=1)
    x = 4 * torch.randn(5, 4, 9, 7, generator=torch.Generator().manual_seed(2))
    given = network(x)
    assert given.shape == (5, blueprint.output.shape.elements)
    torch.testing.assert_close(given, reference(network, x).flatten(1), rtol=1e-5, atol=1e-5)


def test_dropout_drops_in_training_only() -> None:
    network = build(blueprint_of(lambda b, x: b.dropout(x, 0.5)))
    x = torch.ones(2, 4, 9, 7)
    assert 0.3 < (network(x) == 0).float().mean() < 0.7
    assert torch.equal(network.eval()(x), x.flatten(1))


def residual(b: BlueprintBuilder, x: str) -> str:
    """Append shared values, ReLU in place and not in place, zeros, and a dead branch."""
    x = b.conv_bn(x, 8, 3)
    b.zeros(b.conv2d(x, 8))
    y = b.conv_bn(b.activation(x), 8, 3, groups=8, function="relu6")
    return b.head(b.add([x, b.zeros(x), gate4(b, y)]))


def gate4(b: BlueprintBuilder, x: str) -> str:
    return b.multiply(x, b.activation(b.conv2d(b.global_avg_pool(x), 8, bias=True), "sigmoid"))


def test_seed_fixes_weights_and_leaves_the_global_generator_alone() -> None:
    blueprint = blueprint_of(residual)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = (build(blueprint, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["conv2d_1.weight"], other["conv2d_1.weight"])


def test_glorot_draws_from_keras_range_with_zero_biases() -> None:
    norm = {"batch_norm_momentum": 0.003, "batch_norm_eps": 1e-4}
    network = build(blueprint_of(residual), seed=3, initialisation="glorot", **norm)
    weight = network.conv2d_1.weight
    limit = (6 / (4 * 9 + 8 * 9)) ** 0.5
    assert 0.9 * limit < weight.abs().max() <= limit
    biases = [m.bias for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear) and m.bias is not None]
    assert all(torch.count_nonzero(bias) == 0 for bias in biases)
    assert (network.batch_norm_1.momentum, network.batch_norm_1.eps) == (0.003, 1e-4)


def test_in_place_activations_do_not_change_the_gradient() -> None:
    blueprint = blueprint_of(residual)
    network = build(blueprint, seed=1)
    plain = build(blueprint, seed=1)
    overwriting = [name for name, module in network.named_modules() if getattr(module, "inplace", False)]
    # activation_2 reads a value that the sum and the dead branch read too; the sigmoid's gradient needs its own output.
    assert overwriting == ["activation_1", "activation_3"]
    for module in plain.modules():
        if isinstance(module, nn.ReLU | nn.ReLU6):
            module.inplace = False
    x = torch.randn(6, 4, 9, 7, generator=torch.Generator().manual_seed(2))
    for one in (network, plain):
        one(x).square().sum().backward()
    for (name, p), q in zip(network.named_parameters(), plain.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None), name
        if p.grad is not None:
            torch.testing.assert_close(p.grad, q.grad, msg=name)


@pytest.mark.parametrize("channels", [1, 4, 6, 7, 12])
def test_gradients_of_strided_pointwise_convolutions(channels: int) -> None:
    """Channels-last, as in training; torch's own gradients are wrong or crash, depending on the processor."""
    b = BlueprintBuilder(InputSpec(channels, height=8, width=8, classes=3))
    b.head(b.conv2d(b.input, 8, kernel=1, stride=2))
    network = build(b.build(), seed=1).to(memory_format=torch.channels_last)
    exact = build(b.build(), seed=1).double()
    for seed in range(50):
        x = torch.randn(32, channels, 8, 8, generator=torch.Generator().manual_seed(seed))
        given = gradients(network, x.contiguous(memory_format=torch.channels_last))
        for ours, true in zip(given, gradients(exact, x.double()), strict=True):
            torch.testing.assert_close(ours.double(), true, rtol=1e-4, atol=1e-4)


def gradients(network: Network, x: Tensor) -> tuple[Tensor, ...]:
    loss = network(x.requires_grad_()).square().sum()
    return torch.autograd.grad(loss, [x, *network.parameters()])


def test_values_are_freed_after_their_last_use() -> None:
    blueprint = blueprint_of(residual)
    freed = [name for step in plan(blueprint) for name in step.finished]
    assert len(freed) == len(set(freed))
    computed = {"input", *(step.node.name for step in plan(blueprint))}
    assert set(freed) == computed - {blueprint.output.name}


@pytest.mark.parametrize("options", SPACES, ids=lambda options: options.kind)
def test_counted_cost_equals_the_analytic_one(options: SpaceOptions) -> None:
    spec = InputSpec(3, 18, 18, 7)
    space = create_space(options, spec)
    rng = Random(4)
    for architecture in (space.default(), *(space.sample(rng) for _ in range(8))):
        blueprint = space.blueprint(architecture)
        counted = count(build(blueprint), spec)
        assert counted == blueprint_cost(blueprint) == space.cost(architecture), space.to_string(architecture)


def test_counting_leaves_the_module_as_it_was() -> None:
    network = build(blueprint_of(residual), seed=1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert count(network, SPEC) == blueprint_cost(blueprint_of(residual))
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
