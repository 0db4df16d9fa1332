"""Ready configurations for the form and the API; all run on data that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.spaces.examples import CHAIN_EXAMPLES

DIGITS = {"kind": "digits"}
CELLS = {"kind": "nasbench201", "form": "edge", "channels": 16, "cells": 1}


@dataclass(frozen=True)
class Example:
    """A ready configuration; ``config`` is a body for ``POST /api/v1/searches/``."""

    slug: str
    name: str
    description: str
    config: dict[str, Any]


def _example(slug: str, name: str, description: str, **config: Any) -> Example:
    return Example(slug, name, description, {"name": name, "dataset": DIGITS, "seed": 0, **config})


EXAMPLES = (
    _example(
        "digits-cells",
        "Digits: NAS-Bench-201 cells",
        "LayerNAS builds a cell for digits edge by edge, from identity to convolutions. MOTE is the estimate.",
        space=CELLS,
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2, "completion": "scaled"},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m"},
        budget={"evaluations": 48},
        round_size=8,
    ),
    _example(
        "digits-sizes",
        "Digits: widths of five layers",
        "LayerNAS chooses the widths of a small network within a limit of 8M multiply-adds. MOTE is the estimate.",
        space={"kind": "nats_size"},
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2, "completion": "scaled"},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m", "hi": 8.0},
        budget={"evaluations": 48},
        round_size=8,
    ),
    _example(
        "digits-chain",
        "Digits: a chain of your own",
        "The space is a definition that you can edit. Every network is trained for two epochs.",
        space={"kind": "chain", "definition": next(iter(CHAIN_EXAMPLES.values()))},
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2, "completion": "scaled"},
        estimator={"kind": "short_training", "epochs": 2},
        objective={"cost_metric": "params_m"},
        budget={"evaluations": 32},
        round_size=8,
    ),
    _example(
        "digits-random",
        "Digits: random search",
        "The baseline for the first example: the same space, estimate and budget, but networks are drawn at random.",
        space=CELLS,
        algorithm={"kind": "random"},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m"},
        budget={"evaluations": 48},
        round_size=8,
    ),
    _example(
        "digits-graphs",
        "Digits: NAS-Bench-101 graphs",
        "LayerNAS grows a cell from one edge to nine; each step adds an operation or an edge. MOTE is the estimate.",
        space={"kind": "nasbench101", "channels": 16, "cells": 1},
        algorithm={"kind": "layernas", "buckets": 12, "replicas": 2, "completion": "scaled"},
        estimator={"kind": "mote", "profile": "fast"},
        objective={"cost_metric": "madds_m"},
        budget={"evaluations": 48},
        round_size=8,
    ),
)
