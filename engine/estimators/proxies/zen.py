"""Zen-score (Lin et al. 2021, arXiv 2102.01063)."""

from __future__ import annotations

import torch
from torch import nn

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, last_map, recorded

PERTURBATION = 0.01


@torch.no_grad()
def zen(probe: Probe) -> float:
    """``log mean |f(x) - f(x + 0.01 e)|`` of the last map f, plus the log of what every batch norm divided by.

    x and e are standard normal images, weights are standard normal; a norm's divisor is the root of its channels' mean
    variance on x plus its epsilon. The network is taken as it is: the paper scores networks with their skip
    connections removed, which spaces that search over skip connections do not allow.
    """
    network = probe.network("normal", batch_norm_momentum=1.0)
    name = last_map(probe.blueprint)
    images = probe.noise(len(probe.images))
    with recorded(network, [name]) as outputs:
        network(images)
        plain = outputs[name]
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.running_var is not None]
        scales = [0.5 * float((n.running_var.mean() + n.eps).log()) for n in norms if n.running_var is not None]
        network(images + PERTURBATION * probe.noise(len(probe.images), stream=1))
    difference = float((plain - outputs[name]).flatten(1).abs().sum(1).mean().log())
    score = difference + sum(scales)
    if not abs(score) < torch.inf:
        raise EstimateError("a change of the image does not change the last map of this network")
    return score
