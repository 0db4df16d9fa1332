"""ZiCo (Li et al. 2023, arXiv 2301.11300): the inverse coefficient of variation of gradients."""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.errors import EstimateError
from engine.estimators.proxies.probe import Probe, gradients, layer_weights

BATCHES = 2


def zico(probe: Probe) -> float:
    """Return ``sum over layers of log sum over weights of mean |g| / std |g|``, over the two halves of the batch.

    Weights whose gradient is zero or equal in both halves are left out, and so are layers without other weights.
    """
    network = probe.network()
    weights = layer_weights(network)
    halves = zip(probe.images.chunk(BATCHES), probe.labels.chunk(BATCHES), strict=True)
    found = [
        gradients(replace(probe, images=images, labels=labels).loss(network), weights) for images, labels in halves
    ]
    terms = []
    for layer in zip(*found, strict=True):
        sizes = torch.stack(layer).abs().double()
        mean = sizes.mean(0)
        deviation = sizes.std(0, correction=0)
        ratio = (mean[deviation > 0] / deviation[deviation > 0]).sum()
        if float(ratio) > 0:
            terms.append(float(ratio.log()))
    if not terms:
        raise EstimateError("no weight of this network has a gradient that differs between batches")
    return sum(terms)
