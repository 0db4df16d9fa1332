"""AZ-NAS's expressivity, progressivity and trainability (Lee and Ham 2024, arXiv 2403.19232).

They use standard normal images, Kaiming initialisation, and batch norm on the batch's statistics. The paper's fourth
proxy, complexity, is the number of multiply-adds. The paper's score of a network is the sum of the logarithms of its
four ranks in a population, which the benchmark ``proxies`` computes.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from engine.estimators.proxies.probe import Probe, blocks, gradients, recorded


def expressivity(probe: Probe) -> float:
    """Return the sum over blocks of the entropy of the normalised spectrum of their channels' covariance."""
    return sum(_entropies(_maps(probe)))


def progressivity(probe: Probe) -> float:
    """Return the least gain of that entropy from one block to the next."""
    return min(after - before for before, after in pairwise(_entropies(_maps(probe))))


def trainability(probe: Probe) -> float:
    """Return the mean over blocks after the first of ``2 - s - 1/s``, s being the spectral norm of a block's Jacobian.

    The Jacobian is approximated by one linear map from channels to channels, which is estimated by back-propagating
    random signs from the block's output to its input. In a block with a stride, an input position is the group of
    pixels that become one output pixel.
    """
    generator = torch.Generator().manual_seed(probe.seed)
    scores = []
    for before, after in pairwise(_maps(probe)):
        probe.check()
        signs = torch.randint(0, 2, after.shape, generator=generator).mul_(2).sub_(1).to(after)
        (back,) = gradients((after * signs).sum(), [before], retain_graph=True)
        scores.append(_norm_score(back, signs))
    return sum(scores) / len(scores)


def _maps(probe: Probe) -> list[Tensor]:
    network = probe.network("kaiming")
    names = blocks(probe.blueprint)
    with recorded(network, names) as outputs:
        network(probe.noise(len(probe.images)))
    return [outputs[name] for name in names]


@torch.no_grad()
def _entropies(maps: list[Tensor]) -> list[float]:
    return [_entropy(_pixels(block)) for block in maps]


def _entropy(pixels: Tensor) -> float:
    centred = pixels - pixels.mean(0)
    values = torch.linalg.eigvalsh(centred.T @ centred / len(centred)).double().clamp_min(0)
    shares = values / values.sum().clamp_min(torch.finfo(torch.float64).tiny)
    return float(torch.special.entr(shares).sum())


def _norm_score(back: Tensor, signs: Tensor) -> float:
    stride = back.shape[2] // signs.shape[2]
    if stride > 1:
        height, width = (side * stride for side in signs.shape[2:])
        back = functional.pixel_unshuffle(back[:, :, :height, :width], stride)
    jacobian = _pixels(back).T @ _pixels(signs) / (signs.shape[0] * signs.shape[2] * signs.shape[3])
    norm = float(torch.linalg.matrix_norm(jacobian, 2))
    return 2 - norm - 1 / (norm + 1e-6)


def _pixels(maps: Tensor) -> Tensor:
    """Return ``(B, C, H, W)`` as ``(B * H * W, C)``."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)
