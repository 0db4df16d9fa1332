"""MeCo (Jiang, Wang and Bie, NeurIPS 2023): one random image, one forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.estimators.proxies.probe import Probe


@torch.no_grad()
def meco(probe: Probe) -> float:
    """Return the sum over layers of the least eigenvalue of the correlation matrix of their channels.

    Layers are all computed maps with at least two channels and two pixels, for one standard normal image. A constant
    channel has correlation 0 with all others. The initialisation is torch's default.
    """
    network = probe.network()
    least = list[float]()
    for node in probe.blueprint:
        if node.op == "batch_norm" and node.shape.height * node.shape.width == 1:
            network.get_submodule(node.name).eval()  # a single value has no batch statistics

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        if output.dim() == 4 and output.shape[1] > 1 and output[0, 0].numel() > 1:
            correlation = torch.corrcoef(output[0].flatten(1)).nan_to_num(0.0, 0.0, 0.0)
            least.append(float(torch.linalg.eigvalsh(correlation)[0]))

    handles = [module.register_forward_hook(note) for module in network.children()]
    network(probe.noise(1))
    for handle in handles:
        handle.remove()
    return sum(least)
