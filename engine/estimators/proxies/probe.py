"""What a proxy looks at: one network at its initial weights, a batch of images with labels, and seeded noise.

Networks are built without in-place activations, so that every recorded value stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.blueprint import Blueprint
from engine.errors import EstimateError, Stopped
from engine.estimate import Stop, never
from engine.networks.build import Network, build
from engine.training import place

Weights = Literal["default", "kaiming", "normal"]
BLOCK_OPS = frozenset({"conv2d", "max_pool", "avg_pool", "add", "multiply", "concat"})


@dataclass(frozen=True)
class Probe:
    """A network to be built, images ``(B, C, H, W)`` as float32 with labels ``(B,)``, and a seed for everything random.

    ``stop`` is asked by proxies that take many passes.
    """

    blueprint: Blueprint
    images: Tensor
    labels: Tensor
    seed: int
    stop: Stop = never

    def network(self, weights: Weights = "default", batch_norm_momentum: float = 0.1) -> Network:
        """A fresh network in training mode on the images' device.

        ``kaiming``: normal with fan-in, as AZ-NAS and TE-NAS; ``normal``: standard normal, as Zen-NAS; the others'
        biases are then zero.
        """
        network = build(self.blueprint, seed=self.seed, batch_norm_momentum=batch_norm_momentum)
        generator = torch.Generator().manual_seed(self.seed)
        for module in network.modules():
            if isinstance(module, nn.ReLU | nn.ReLU6):
                module.inplace = False
            if weights != "default" and isinstance(module, nn.Conv2d | nn.Linear):
                if weights == "kaiming":
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                else:
                    nn.init.normal_(module.weight, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        placed = place(network, self.images.device)
        assert isinstance(placed, Network)
        return placed

    def noise(self, count: int, stream: int = 0) -> Tensor:
        """Standard normal images ``(count, C, H, W)``; another ``stream`` is independent noise of the same seed."""
        rng = np.random.default_rng((self.seed, stream))
        noise = torch.from_numpy(rng.standard_normal((count, *self.images.shape[1:]), dtype=np.float32))
        return noise.to(self.images.device, memory_format=torch.channels_last)

    def loss(self, network: nn.Module) -> Tensor:
        """Mean cross-entropy of the batch."""
        return functional.cross_entropy(network(self.images), self.labels)

    def check(self) -> None:
        """Stopped when the search was."""
        if self.stop():
            raise Stopped("stopped in the middle of a proxy")


def layer_weights(network: nn.Module) -> list[Tensor]:
    """The weights of convolutions and linear layers, in the order of computation; no biases, no norms."""
    return [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def gradients(
    output: Tensor, inputs: Sequence[Tensor], *, retain_graph: bool = False, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Gradients of a scalar; zeros for what it does not depend on (branches that lead nowhere)."""
    return torch.autograd.grad(
        output,
        list(inputs),
        retain_graph=retain_graph or create_graph,
        create_graph=create_graph,
        allow_unused=True,
        materialize_grads=True,
    )


@contextmanager
def recorded(network: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """The outputs of these submodules, filled in by a forward pass inside the context."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs[name] = output

        return hook

    handles = [network.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def last_map(blueprint: Blueprint) -> str:
    """The node whose map the last global pooling reads, or the classifier's input where nothing is pooled."""
    node = blueprint.output
    classifier_input = node.inputs[0]
    while len(node.inputs) == 1:
        if node.op == "global_avg_pool":
            return node.inputs[0]
        node = blueprint[node.inputs[0]]
    return classifier_input


def blocks(blueprint: Blueprint) -> list[str]:
    """The node at the end of each block that leads to `last_map`, in order: stem, then cells and layers by group.

    Groups of norms and activations alone (NAS-Bench-201's head) are no blocks, nor are cells that only pass on their
    input. EstimateError when fewer than two are left.
    """
    alive = {last_map(blueprint)}
    ends = dict[str, str]()
    mixing = set[str]()
    for node in reversed(blueprint.nodes):
        if node.name in alive and node.op != "input":
            alive.update(node.inputs)
            ends.setdefault(node.group, node.name)
            if node.op in BLOCK_OPS:
                mixing.add(node.group)
    found = [name for group, name in reversed(ends.items()) if group in mixing]
    if len(found) < 2:
        raise EstimateError("this network has a single block, and the proxy compares one block with the next")
    return found
