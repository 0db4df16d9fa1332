"""SynFlow (Tanaka et al. 2020, arXiv 2006.05467), as the score of a whole network (arXiv 2101.08134)."""

from __future__ import annotations

import torch
from torch import nn

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, gradients, layer_weights


def synflow(probe: Probe) -> float:
    """Return the logarithm of the sum of ``w * dR/dw``.

    R is the sum of the outputs for an image of ones, with the absolute values of all parameters and without batch norm,
    in float64. The logarithm does not change the ranking; the sum itself spans 30 orders of magnitude.
    """
    network = probe.network().double()
    for name, module in list(network.named_children()):
        if isinstance(module, nn.BatchNorm2d):
            network.add_module(name, nn.Identity())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    ones = torch.ones((1, *probe.images.shape[1:]), dtype=torch.float64, device=probe.images.device)
    weights = layer_weights(network.eval())
    pairs = zip(weights, gradients(network(ones).sum(), weights), strict=True)
    flow = torch.stack([(weight.detach() * gradient).sum() for weight, gradient in pairs]).sum()
    if float(flow) <= 0:
        raise EstimateError("no synaptic flow reaches the output of this network")
    return float(flow.log())
