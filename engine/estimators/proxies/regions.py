"""Proxies of how differently a network treats a batch's images (Mellor et al., Neural Architecture Search without
Training).

They use torch's default initialisation, and batch norm on the batch's statistics.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, gradients

JITTER = 1e-5


def jacob_cov(probe: Probe) -> float:
    """Return the score of the paper's first version (arXiv 2006.04647v1).

    It is ``-sum(log(v + k) + 1 / (v + k))`` with k = 1e-5, where v are the eigenvalues of the correlation matrix of the
    summed logits' gradients by the images.
    """
    network = probe.network()
    images = probe.images.clone().requires_grad_()
    (jacobian,) = gradients(network(images).sum(), [images])
    correlation = torch.corrcoef(jacobian.flatten(1).double())
    if not bool(correlation.isfinite().all()):
        raise EstimateError("an image of the batch has no influence on this network's outputs")
    values = torch.linalg.eigvalsh(correlation).clamp_min(0) + JITTER
    return float(-(values.log() + 1 / values).sum())


@torch.no_grad()
def naswot(probe: Probe) -> float:
    """Return NASWOT (arXiv 2006.04647v3): ``log |det K|``, where K counts the ReLU units on which two images agree.

    Raises EstimateError if two images agree on every unit, which would give minus infinity.
    """
    network = probe.network()
    count = len(probe.images)
    kernel = torch.zeros(count, count, dtype=torch.float64, device=probe.images.device)

    def agree(_module: nn.Module, inputs: tuple[Any, ...], _output: Tensor) -> None:
        on = (inputs[0].flatten(1) > 0).to(torch.float32)
        kernel.add_(on @ on.T + (1 - on) @ (1 - on).T)

    handles = [m.register_forward_hook(agree) for m in network.modules() if isinstance(m, nn.ReLU | nn.ReLU6)]
    network(probe.images)
    for handle in handles:
        handle.remove()
    score = float(torch.linalg.slogdet(kernel).logabsdet)
    if score == -torch.inf:
        raise EstimateError("two images switch on exactly the same units of this network")
    return score
