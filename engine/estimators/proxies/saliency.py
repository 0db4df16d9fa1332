"""Saliencies from pruning at initialisation, summed over a network (Abdelfattah et al. 2021, arXiv 2101.08134).

All use one batch's mean cross-entropy L, with torch's default initialisation and batch norm on the batch's statistics.
The weights w are those of convolutions and linear layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.estimators.proxies.probe import Probe, gradients, layer_weights, recorded


def grad_norm(probe: Probe) -> float:
    """Return the sum over layers of the Euclidean norm of dL/dw."""
    network = probe.network()
    return float(sum(gradient.norm() for gradient in gradients(probe.loss(network), layer_weights(network))))


def snip(probe: Probe) -> float:
    """Return SNIP (Lee et al. 2019, arXiv 1810.02340): the sum of ``|w * dL/dw|``."""
    network = probe.network()
    weights = layer_weights(network)
    pairs = zip(weights, gradients(probe.loss(network), weights), strict=True)
    return float(sum((weight.detach() * gradient).abs().sum() for weight, gradient in pairs))


def grasp(probe: Probe) -> float:
    """Return GraSP (Wang et al. 2020, arXiv 2002.07376): the sum of ``-w * (H g)``, with gradient g and Hessian H."""
    network = probe.network()
    for name, module in list(network.named_children()):
        if isinstance(module, nn.Hardsigmoid | nn.Hardswish):
            network.add_module(name, _Hard(gate_only=isinstance(module, nn.Hardsigmoid)))
    weights = layer_weights(network)
    first = gradients(probe.loss(network), weights, create_graph=True)
    product = torch.stack([(gradient * gradient.detach()).sum() for gradient in first]).sum()
    pairs = zip(weights, gradients(product, weights), strict=True)
    return float(-torch.stack([(weight * second).sum() for weight, second in pairs]).sum().detach())


def fisher(probe: Probe) -> float:
    """Return Fisher (Theis et al. 2018, arXiv 1801.05787), over the outputs a of convolutions and linear layers.

    It is the sum over their channels of ``1/2 mean over images of (sum over pixels of a * dL/da)^2``.
    """
    network = probe.network()
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with recorded(network, names) as outputs:
        loss = probe.loss(network)
    maps = list(outputs.values())
    pairs = zip(maps, gradients(loss, maps), strict=True)
    return float(sum(_channel_information(output, gradient) for output, gradient in pairs))


def _channel_information(output: Tensor, gradient: Tensor) -> Tensor:
    pixels = (output * gradient).detach()
    return 0.5 * (pixels.flatten(2).sum(2) if pixels.dim() == 4 else pixels).square().mean(0).sum()


class _Hard(nn.Module):
    """Hard sigmoid and hard swish in operations that torch can differentiate twice, unlike its own versions."""

    def __init__(self, gate_only: bool) -> None:
        super().__init__()
        self.gate_only = gate_only

    def forward(self, x: Tensor) -> Tensor:
        gate = (x + 3).clamp(0, 6) / 6
        return gate if self.gate_only else x * gate
