"""Zen-score (Lin et al. 2021, arXiv 2102.01063)."""

from __future__ import annotations

import torch
from torch import nn

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, last_map, recorded

PERTURBATION = 0.01


@torch.no_grad()
def zen(probe: Probe) -> float:
    """Return ``log mean |f(x) - f(x + 0.01 e)|`` for the last map f, plus the logs of all batch norms' divisors.

    The images x and e and the weights are standard normal. A norm's divisor is the square root of its channels' mean
    variance on x plus its epsilon. The paper removes the skip connections before scoring; here they stay, because in
    spaces that search over skip connections they are part of the architecture.
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
