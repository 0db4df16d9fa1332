"""A user's own chain of eight layers with a table of all its networks, and the searches over it by API."""

from __future__ import annotations

import csv
import io
import itertools
import math
from random import Random
from typing import Any

import httpx

from engine.blueprint import InputSpec
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from tests.browser.product import Product

KINDS = ("layernas", "regularised_evolution", "random")
LABELS = {"layernas": "LayerNAS", "regularised_evolution": "Regularised evolution", "random": "Random search"}
CHAIN = {
    "name": "eight layers",
    "stem": {"width": 8},
    "layers": [
        {
            "name": f"layer {i + 1}",
            "stride": 2 if i in (2, 5) else 1,
            "options": {"conv": {"block": "conv", "width": [16, 12, 8]}},
        }
        for i in range(8)
    ],
}


def truths() -> tuple[str, int]:
    """Return a CSV of all 6,561 networks (reward, truth, cost, seconds) and their number; wider layers score better."""
    space = create_space(ChainOptions(definition=CHAIN), InputSpec())
    noise = Random(3)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["arch", "reward", "accuracy", "flops", "seconds"])
    rows = 0
    for choices in itertools.product(range(3), repeat=8):
        network = space.architecture(choices)
        good = 92 - 0.2 * sum(choice * math.cos(i) ** 2 for i, choice in enumerate(choices))
        cost = space.cost(network).metric("madds_m")
        table.writerow([space.to_string(network), good + noise.gauss(0, 0.1), good, cost, 10 + cost])
        rows += 1
    return text.getvalue(), rows


def run_searches(product: Product) -> list[int]:
    """Run the three searches and two repeats of the first, and return their numbers."""
    text, rows = truths()
    with httpx.Client(base_url=product.url + "/api/v1/", timeout=60) as client:
        table = client.post("tables/", files={"file": ("chain.csv", text)}).raise_for_status().json()
        assert table["rows"] == rows == 6561
        estimate = {
            "kind": "table",
            "table": table["id"],
            "reward": "reward",
            "truth": "accuracy",
            "cost": "flops",
            "seconds": "seconds",
        }
        low, high = create_space(ChainOptions(definition=CHAIN), InputSpec()).cost_range((), "madds_m")
        config: dict[str, Any] = {
            "space": {"kind": "chain", "definition": CHAIN},
            "estimator": estimate,
            "objective": {"cost_metric": "table_cost", "hi": (low + high) / 2},
            "budget": {"evaluations": 200},
        }
        numbers = []
        for kind in KINDS:
            body = {**config, "name": f"{LABELS[kind]} on a chain", "algorithm": {"kind": kind}}
            numbers.append(client.post("searches/", json=body).raise_for_status().json()["id"])
        for number in numbers:
            assert product.wait_finished(number, 120)["evaluated"] == 200
        repeats = client.post(f"searches/{numbers[0]}/repeat/", json={"count": 2}).raise_for_status().json()
    for repeat in repeats:
        product.wait_finished(repeat["id"], 120)
    return [*numbers, *(repeat["id"] for repeat in repeats)]
