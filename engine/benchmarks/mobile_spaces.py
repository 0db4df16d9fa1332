"""The MobileNet spaces compared with the paper's figures, and torchvision's MobileNets counted in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import nn
from torchvision.models import mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small

from engine.benchmarks.report import Figure, Report
from engine.blueprint import InputSpec
from engine.config.spaces import MobileNetOptions
from engine.networks.build import build
from engine.networks.count import count
from engine.spaces.mobilenet import PAPER_SPEC, MobileNetSpace


class PaperSpace(NamedTuple):
    """A space and the paper's figures for it; the number of trials of 600M is corrected to what its formula gives."""

    options: MobileNetOptions
    architectures: float
    max_trials: float


SPACES: Mapping[str, PaperSpace] = {
    "mobilenet_v3_small_60m": PaperSpace(MobileNetOptions(variant="60m"), 5.0e20, 1.2e5),
    "mobilenet_v3_large_220m": PaperSpace(MobileNetOptions(variant="220m"), 4.8e26, 1.5e5),
    "mobilenet_v2_300m": PaperSpace(MobileNetOptions(variant="300m"), 5.3e30, 1.4e5),
    "mobilenet_v2_1_4x_600m": PaperSpace(MobileNetOptions(variant="600m"), 1.6e39, 2.0e5),
}
TORCHVISION: Mapping[str, tuple[Callable[[], nn.Module], float, float]] = {
    "mobilenet_v2": (mobilenet_v2, 300.8, 3.50),
    "mobilenet_v3_small": (mobilenet_v3_small, 56.5, 2.54),
    "mobilenet_v3_large": (mobilenet_v3_large, 216.6, 5.48),
}
"""Constructors, and the published millions of multiply-adds and parameters for ImageNet."""


def run(quick: bool) -> Report:
    """Count built modules by running each once; ``quick`` counts only the smallest network."""
    spaces = list(SPACES)[:1] if quick else list(SPACES)
    models = ["mobilenet_v3_small"] if quick else list(TORCHVISION)
    figures = [figure for name in spaces for figure in _space(name)]
    figures += [figure for name in models for figure in _torchvision(name)]
    settings = {
        "image": "3x224x224", "squeeze_excitation": True, "activation": "swish", "counted": "built modules",
        "max_trials": "300 times all options; the paper prints 2.0e6 where that gives 2.0e5",
        "goals": "independent counts of the published tables' rows, which the paper's own figures for V2 exceed",
    }  # fmt: skip
    return Report(settings, figures)


def _space(name: str) -> Iterator[Figure]:
    paper = SPACES[name]
    space = MobileNetSpace(paper.options, PAPER_SPEC)
    published = space.table.published
    cost = count(build(space.blueprint(space.published())), PAPER_SPEC)
    source = "LayerNAS, appendix H"
    model = "LayerNAS, table 2"
    yield Figure(f"{name}.architectures", float(space.size), "networks", "higher", None, paper.architectures, source)
    yield Figure(f"{name}.max_trials", space.max_trials, "trials", "lower", None, paper.max_trials, source)
    for metric, goal, anchor in zip(("madds_m", "params_m"), published.counted, published.paper, strict=True):
        yield Figure(f"{name}.published.{metric}", cost.metric(metric), "million", "lower", goal, anchor, model)


def _torchvision(name: str) -> Iterator[Figure]:
    make, madds, params = TORCHVISION[name]
    spec = InputSpec(3, 224, 224, 1000)
    with torch.random.fork_rng():
        cost = count(make(), spec)
    for metric, known in (("madds_m", madds), ("params_m", params)):
        yield Figure(f"torchvision.{name}.{metric}", cost.metric(metric), "million", "lower", goal=known)
