"""Training-free proxies by name: label, paper, requirements, and a function that is imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from engine.blueprint import Blueprint
from engine.config.estimators import ProxyOptions
from engine.errors import ConfigError
from engine.estimate import Images
from engine.metrics import METRICS
from engine.sources import Opened
from engine.space import SearchSpace

TRIED = 20
"""The number of random networks that are tried before a proxy is refused for a whole space."""


@dataclass(frozen=True)
class Proxy:
    """One proxy; ``path`` names a function that takes an `engine.estimators.proxies.probe.Probe` and returns a score.

    ``functions`` lists activation functions; unless it is empty, a network must have at least one of them.
    """

    label: str
    paper: str
    path: str
    functions: tuple[str, ...] = ()


def _proxy(label: str, paper: str, path: str, functions: tuple[str, ...] = ()) -> Proxy:
    return Proxy(label, paper, f"engine.estimators.proxies.{path}", functions)


RECTIFIERS = ("relu", "relu6")
PROXIES: Mapping[str, Proxy] = {
    "params": _proxy(METRICS["params_m"].label, "a count, no paper", "costs:params"),
    "madds": _proxy(METRICS["madds_m"].label, "a count, no paper", "costs:madds"),
    "grad_norm": _proxy("Gradient norm", "arXiv 2101.08134", "saliency:grad_norm"),
    "snip": _proxy("SNIP", "arXiv 1810.02340", "saliency:snip"),
    "grasp": _proxy("GraSP", "arXiv 2002.07376", "saliency:grasp"),
    "synflow": _proxy("SynFlow", "arXiv 2006.05467", "synflow:synflow"),
    "fisher": _proxy("Fisher", "arXiv 1801.05787", "saliency:fisher"),
    "jacob_cov": _proxy("Jacobian covariance", "arXiv 2006.04647v1", "regions:jacob_cov"),
    "naswot": _proxy("NASWOT", "arXiv 2006.04647", "regions:naswot", RECTIFIERS),
    "zen": _proxy("Zen-score", "arXiv 2102.01063", "zen:zen"),
    "zico": _proxy("ZiCo", "arXiv 2301.11300", "zico:zico"),
    "ntk_condition": _proxy("NTK condition number", "arXiv 2102.11535", "kernels:ntk_condition"),
    "knas": _proxy("KNAS", "arXiv 2111.13293", "kernels:knas"),
    "lga": _proxy("Label-gradient alignment", "arXiv 2203.14577", "kernels:lga"),
    "meco": _proxy("MeCo", "NeurIPS 2023, Jiang, Wang and Bie", "meco:meco"),
    "expressivity": _proxy("AZ-NAS expressivity", "arXiv 2403.19232", "az_nas:expressivity"),
    "progressivity": _proxy("AZ-NAS progressivity", "arXiv 2403.19232", "az_nas:progressivity"),
    "trainability": _proxy("AZ-NAS trainability", "arXiv 2403.19232", "az_nas:trainability"),
    "complexity": _proxy("AZ-NAS complexity", "arXiv 2403.19232", "costs:madds"),
}


def unmet(name: str, blueprint: Blueprint) -> str:
    """Return in words why a proxy says nothing about a network; the text is empty if the proxy applies."""
    proxy = PROXIES[name]
    if proxy.functions and not any(
        node.op == "activation" and node.attrs["function"] in proxy.functions for node in blueprint
    ):
        return f"{proxy.label} compares which ReLU units are on, and this network has none"
    return ""


def refuse(options: ProxyOptions, space: SearchSpace, images: Images | None, table: Opened | None) -> str:
    """Return an empty remark; raise ConfigError (``estimator.name``) if the proxy says nothing about any network."""
    check_proxy(options.name, space)
    return ""


def check_proxy(name: str, space: SearchSpace) -> None:
    """Raise ConfigError (``estimator.name``) if the proxy says nothing about any network of the space."""
    if not PROXIES[name].functions:
        return
    rng = Random(0)
    tried = (space.default(), *(space.sample(rng) for _ in range(TRIED)))
    if all(unmet(name, space.blueprint(architecture)) for architecture in tried):
        raise ConfigError.at(
            "estimator.name",
            f"{PROXIES[name].label} compares which ReLU units are on, and the networks of this space have none; "
            "choose another proxy.",
        )
