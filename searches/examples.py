"""Ready configurations for the form and the API; every one runs on data that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.spaces.examples import CHAIN_EXAMPLES

DIGITS = {"kind": "digits"}


@dataclass(frozen=True)
class Example:
    """``config`` is a body for ``POST /api/v1/searches/``."""

    slug: str
    name: str
    description: str
    config: dict[str, Any]


def _example(slug: str, name: str, description: str, **config: Any) -> Example:
    return Example(slug, name, description, {"name": name, "dataset": DIGITS, "seed": 0, **config})


EXAMPLES = (
    _example(
        "digits-sizes",
        "Digits: widths of five layers",
        "LayerNAS chooses the widths of a small network for handwritten digits within 8M multiply-adds; MOTE scores.",
        space={"kind": "nats_size"},
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m", "hi": 8.0},
        budget={"evaluations": 48},
        round_size=8,
    ),
    _example(
        "digits-cells",
        "Digits: NAS-Bench-201 cells",
        "LayerNAS builds a cell tensor by tensor, every network in a bucket of its own; MOTE scores.",
        space={"kind": "nasbench201", "form": "tensor", "channels": 8, "cells": 1},
        algorithm={"kind": "layernas", "bucketing": "unique", "replicas": 1},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "params_m"},
        budget={"evaluations": 40},
        round_size=8,
    ),
    _example(
        "digits-chain",
        "Digits: a chain of your own",
        "The space is a definition you can edit; every network is trained for two epochs.",
        space={"kind": "chain", "definition": next(iter(CHAIN_EXAMPLES.values()))},
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2},
        estimator={"kind": "short_training", "epochs": 2},
        objective={"cost_metric": "params_m"},
        budget={"evaluations": 32},
        round_size=8,
    ),
    _example(
        "digits-random",
        "Digits: random search",
        "The baseline for the first example: the same space, estimate, limit and budget, chosen at random.",
        space={"kind": "nats_size"},
        algorithm={"kind": "random"},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m", "hi": 8.0},
        budget={"evaluations": 48},
        round_size=8,
    ),
)
