"""Proxies of the neural tangent kernel: the Gram matrix of the images' gradients of their summed logits.

They use the first 16 images of the batch, batch norm on these images' statistics, and the weights of convolutions and
linear layers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, Weights, gradients, layer_weights

KERNEL_IMAGES = 16


def kernel(probe: Probe, weights: Weights) -> Tensor:
    """Return the Gram matrix ``(n, n)`` in float64."""
    network = probe.network(weights)
    parameters = layer_weights(network)
    logits = network(probe.images[:KERNEL_IMAGES]).sum(1)
    rows = []
    for logit in logits:
        probe.check()
        found = gradients(logit, parameters, retain_graph=True)
        rows.append(torch.cat([gradient.flatten() for gradient in found]))
    matrix = torch.stack(rows).double()
    return matrix @ matrix.T


def ntk_condition(probe: Probe) -> float:
    """Return TE-NAS's score (Chen et al. 2021, arXiv 2102.11535): minus the log of the kernel's condition number.

    The condition number is the largest eigenvalue over the smallest. The initialisation is Kaiming. The logarithm does
    not change the ranking.
    """
    values = torch.linalg.eigvalsh(kernel(probe, "kaiming"))
    least = float(values[0])
    most = float(values[-1])
    if most <= 0:
        raise EstimateError("the outputs of this network do not depend on its weights")
    return -float(torch.tensor(most / max(least, most * torch.finfo(torch.float64).eps)).log())


def knas(probe: Probe) -> float:
    """Return KNAS's score (Xu et al. 2021, arXiv 2111.13293): the logarithm of the Gram matrix's mean."""
    mean = float(kernel(probe, "default").mean())
    if mean <= 0:
        raise EstimateError("the outputs of this network do not depend on its weights")
    return float(torch.tensor(mean, dtype=torch.float64).log())


def lga(probe: Probe) -> float:
    """Return the label-gradient alignment at initialisation (Mok et al. 2022, arXiv 2203.14577), between -1 and 1.

    It is the correlation, over all pairs of images, between the Gram matrix and a matrix with 1 for equal labels and -1
    for different labels. The paper reports it after some training; here nothing is trained, as for every proxy.
    """
    labels = probe.labels[:KERNEL_IMAGES]
    same = 2.0 * (labels[:, None] == labels[None, :]).double() - 1
    pair = torch.stack([kernel(probe, "default").flatten(), same.flatten()])
    alignment = float(torch.corrcoef(pair)[0, 1])
    if alignment != alignment:
        raise EstimateError("the batch has images of only one class, or this network treats all images in the same way")
    return alignment
