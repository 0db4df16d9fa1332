"""Counting of a built module's costs by running it: a check of `engine.cost` that shares none of its formulas."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engine.blueprint import InputSpec
from engine.cost import Cost
from engine.networks.build import Add, Concat, Multiply, Shift

STORED = (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, Add, Concat, Multiply, Shift)


def count(network: nn.Module, spec: InputSpec) -> Cost:
    """Return the parameters, multiply-adds and stored values for one image of ``spec``; the module is not changed."""
    stored = 0

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        nonlocal stored
        stored += output.numel()

    hooks = [module.register_forward_hook(note) for module in network.modules() if isinstance(module, STORED)]
    training = network.training
    network.eval()
    # torch counts a multiplication and its addition as two operations.
    flops = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), flops:
            network(torch.zeros(1, spec.channels, spec.height, spec.width))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return Cost(sum(p.numel() for p in network.parameters()), flops.get_total_flops() // 2, stored)
