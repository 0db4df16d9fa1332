"""Three algorithms on a user's own chain and table, by the API, laid over one another in the browser."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from engine.blueprint import InputSpec
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from tests.browser.product import Product
from tests.browser.test_journey import drawn

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
    """A CSV of all 6,561 networks (reward, truth, cost, seconds) and their number; wider layers help, with noise."""
    space, noise = create_space(ChainOptions(definition=CHAIN), InputSpec()), Random(3)
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


@pytest.fixture(scope="module")
def searches(product: Product) -> list[int]:
    """The three searches, finished, and two repeats of the first."""
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


@pytest.mark.usefixtures("complaints")
def test_the_page_lays_three_algorithms_over_one_another(
    page: Page, product: Product, searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    page.goto("/")
    for number in searches[:3]:
        page.locator(f"[data-id='{number}'] input[type=checkbox]").check()
    page.get_by_role("link", name="Compare 3").click()
    expect(page.get_by_role("heading", name="Compare searches")).to_be_visible()
    expect(page.locator("[data-table] tbody tr")).to_have_count(3)
    fronts = drawn(page, "#fronts")
    assert set(fronts) == {f"{LABELS[kind]} on a chain" for kind in KINDS}
    assert all(fronts.values())
    compared = product.get(f"comparisons/?searches={','.join(map(str, searches[:3]))}")
    assert list(fronts.values()) == [len(shown["front"]) for shown in compared["searches"]]
    assert all(product.get(f"candidates/{shown['best']['id']}/")["feasible"] for shown in compared["searches"])
    expect(page.locator("[data-settings]")).to_contain_text("algorithm.kind")
    page.locator("#best [name=value]").select_option("truth")
    page.wait_for_url(re.compile("value=truth"))
    expect(page.locator("#best .caption")).to_contain_text("which no search has seen")
    picture(page, "compare")


@pytest.mark.usefixtures("complaints")
def test_repeats_are_one_line_with_its_spread(
    page: Page, searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    page.goto(f"/compare/?searches={','.join(map(str, searches))}")
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(5)
    label = "LayerNAS on a chain × 3 seeds"  # noqa: RUF001 - as the page writes it
    assert {label, f"{label}: least", f"{label}: largest"} <= set(drawn(page, "#best"))
    picture(page, "compare-repeats")
    page.get_by_role("button", name="Leave out Random search on a chain").click()
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(4)
    for scheme, width in (("dark", 1440), ("light", 375)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        picture(page, f"compare-{scheme}-{width}")
