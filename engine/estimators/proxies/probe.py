"""The inputs of a proxy: one network at its initial weights, a batch of images with labels, and seeded noise.

Networks are built without in-place activations, so that no recorded value is overwritten.
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
from engine.networks.build import Network, build
from engine.stopping import Stop, never
from engine.training import place

Weights = Literal["default", "kaiming", "normal"]
BLOCK_OPS = frozenset({"conv2d", "max_pool", "avg_pool", "add", "multiply", "concat"})


@dataclass(frozen=True)
class Probe:
    """A blueprint, images ``(B, C, H, W)`` as float32 with labels ``(B,)``, and a seed for everything random.

    Proxies with many passes check ``stop``.
    """

    blueprint: Blueprint
    images: Tensor
    labels: Tensor
    seed: int
    stop: Stop = never

    def network(self, weights: Weights = "default", batch_norm_momentum: float = 0.1) -> Network:
        """Return a new network in training mode on the images' device.

        The weights ``kaiming`` are normal with fan-in, as in AZ-NAS and TE-NAS; ``normal`` ones are standard normal, as
        in Zen-NAS. In both cases biases are zero.
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
        """Return standard normal images ``(count, C, H, W)``; each ``stream`` is independent noise of the same seed."""
        rng = np.random.default_rng((self.seed, stream))
        noise = torch.from_numpy(rng.standard_normal((count, *self.images.shape[1:]), dtype=np.float32))
        return noise.to(self.images.device, memory_format=torch.channels_last)

    def loss(self, network: nn.Module) -> Tensor:
        """Return the mean cross-entropy of the batch."""
        return functional.cross_entropy(network(self.images), self.labels)

    def check(self) -> None:
        """Raise Stopped if the estimate must stop."""
        if self.stop():
            raise Stopped("stopped in the middle of a proxy")


def layer_weights(network: nn.Module) -> list[Tensor]:
    """Return the weights of convolutions and linear layers, in the order of computation, without biases and norms."""
    return [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def gradients(
    output: Tensor, inputs: Sequence[Tensor], *, retain_graph: bool = False, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return the gradients of a scalar; they are zero for inputs on which it does not depend (dead branches)."""
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
    """Yield a mapping that a forward pass inside the block fills with the outputs of these submodules."""
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
    """Return the node whose map the last global pooling reads, or the classifier's input if there is no pooling."""
    node = blueprint.output
    classifier_input = node.inputs[0]
    while len(node.inputs) == 1:
        if node.op == "global_avg_pool":
            return node.inputs[0]
        node = blueprint[node.inputs[0]]
    return classifier_input


def blocks(blueprint: Blueprint) -> list[str]:
    """Return the last node of each block that leads to `last_map`, in order: stem, then cells and layers by group.

    Groups of only norms and activations (NAS-Bench-201's head) and cells that only pass on their input are not blocks.
    Raises EstimateError if there are fewer than two blocks.
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
        raise EstimateError("this network has only one block, but the proxy compares each block with the next")
    return found
