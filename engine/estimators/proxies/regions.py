"""How differently a network treats the images of a batch (Mellor et al., Neural Architecture Search without Training).

Torch's default initialisation, batch norm on the batch's statistics.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, gradients

JITTER = 1e-5


def jacob_cov(probe: Probe) -> float:
    """The paper's first version (arXiv 2006.04647v1): ``-sum(log(v + k) + 1 / (v + k))``, k = 1e-5.

    v are the eigenvalues of the correlation matrix of the images' input gradients of the summed logits.
    """
    network = probe.network()
    images = probe.images.clone().requires_grad_()
    (jacobian,) = gradients(network(images).sum(), [images])
    correlation = torch.corrcoef(jacobian.flatten(1).double())
    if not bool(correlation.isfinite().all()):
        raise EstimateError("an image has no influence on this network's outputs")
    values = torch.linalg.eigvalsh(correlation).clamp_min(0) + JITTER
    return float(-(values.log() + 1 / values).sum())


@torch.no_grad()
def naswot(probe: Probe) -> float:
    """NASWOT (arXiv 2006.04647v3): ``log |det K|``, K counting the ReLU units on which two images agree.

    Minus infinity, where two images agree on every unit, is no score: EstimateError says so.
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
