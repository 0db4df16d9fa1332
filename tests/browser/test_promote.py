"""Full training in a browser: true accuracies beside MOTE on digits, and trained weights to take away."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

LAYER = {"conv": {"block": "conv", "kernel": [3, 1], "width": [24, 12, 6]}}
CONFIG = {
    "name": "Promoted",
    "space": {
        "kind": "chain",
        "definition": {
            "name": "short",
            "stem": {"width": 8},
            "layers": [{"name": "first", "options": LAYER}, {"name": "second", "stride": 2, "options": LAYER}],
        },
    },
    "dataset": {"kind": "digits"},
    "algorithm": {"kind": "layernas", "buckets": 4, "replicas": 1},
    "estimator": {"kind": "mote"},
    "objective": {"cost_metric": "madds_m"},
    "budget": {"evaluations": 6},
    "round_size": 3,
}


@pytest.fixture(scope="module")
def search(product: Product) -> int:
    """A finished MOTE search of six small networks."""
    answer = httpx.post(f"{product.url}/api/v1/searches/", json=CONFIG, timeout=60)
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["id"])
    product.wait_finished(number, 300)
    return number


@pytest.mark.usefixtures("complaints")
def test_the_front_is_trained_in_full(
    page: Page, product: Product, search: int, picture: Callable[[Page, str], None]
) -> None:
    page.goto(f"/searches/{search}/")
    panel = page.locator("#promote")
    panel.get_by_role("button", name="Train the front in full").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Recipe").select_option("nasbench201")
    expect(dialog).to_contain_text("Shortened: 20 of 200 epochs")
    dialog.get_by_label("Recipe").select_option("quick")
    dialog.get_by_label("Epochs").fill("3")
    expect(dialog).to_contain_text("Shortened: 3 of 20 epochs")
    picture(page, "promote-dialog")
    dialog.get_by_role("button", name="Start training").click()
    front = product.get(f"searches/{search}/pareto/")["front"]
    expect(panel.locator("[data-verdict]")).to_contain_text(f"over {len(front)} network", timeout=180_000)
    expect(panel.locator("[data-verdict]")).to_contain_text("shortened: 3 of 20 epochs")
    expect(page.locator("#candidates thead")).to_contain_text("Trained valid.", timeout=30_000)
    page.locator("#pareto [name=value]").select_option("trained_valid_accuracy")
    picture(page, "promoted-search")

    page.goto("/trainings/")
    rows = page.locator(".training-row")
    expect(rows).to_have_count(len(front))
    expect(rows.first.locator(".chip")).to_have_text("finished")
    picture(page, "trainings")
    rows.first.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/trainings/\d+/$"))
    training = product.get(f"trainings/{page.url.rstrip('/').rsplit('/', 1)[1]}/")
    expect(page.locator("[data-kpis]")).to_contain_text(re.compile(r"epoch \d, the best"))
    expect(page.locator("[data-accuracy] canvas").first).to_be_visible()
    assert len(training["valid_accuracies"]) == 3
    assert training["test_accuracy"] is not None
    picture(page, "training")
    page.get_by_role("link", name="Candidate and downloads").click()
    expect(page.locator("[data-scores]")).to_contain_text("Trained in full, test")
