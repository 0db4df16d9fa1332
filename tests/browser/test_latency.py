"""Latency in a browser: measured from the search form, searched with, checked on a candidate."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.product import Product

CHAIN = """
stem: {width: 8}
layers:
  - {name: first, options: {wide: {block: conv, width: 12}, narrow: {block: conv, width: 6}}}
  - {name: second, stride: 2, options: {separable: {block: separable_conv, width: [12, 6]}}}
"""
MEASURED = 60_000


@pytest.fixture(scope="module")
def table(browser: Browser, product: Product) -> dict[str, Any]:
    """A latency table measured from the search form, and a search with it."""
    page = browser.new_page(base_url=product.url)
    page.goto("/searches/new/")
    page.locator("[data-kind-of=space]").select_option("chain")
    page.get_by_label("Definition").fill(CHAIN)
    page.locator("[data-kind-of=estimator]").select_option("short_training")
    page.locator("[id='id_estimator.short_training.epochs']").fill("1")
    page.get_by_role("button", name="Measure a latency table").click()
    chooser = page.get_by_label("Latency table", exact=True)
    expect(page.locator("[data-measured]")).to_contain_text("is measured and chosen above", timeout=MEASURED)
    expect(chooser.locator("option:checked")).to_have_text("Your own chain on Digits (scikit-learn)")
    page.locator("[id='id_objective.cost_metric']").select_option("latency_ms")
    page.get_by_label("Evaluations", exact=True).fill("4")
    page.get_by_label("Round size", exact=True).fill("4")
    expect(page.locator("#check")).to_contain_text("Latency (ms for one pass, from the latency table)", timeout=30_000)
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile(r"/searches/\d+/$"))
    found = product.wait_finished(int(page.url.rstrip("/").rsplit("/", 1)[1]), 120)
    assert found["failed"] == 0
    assert found["best"]["costs"]["latency_ms"] > 0
    page.close()
    return {"search": found, "table": product.get("latency-tables/")["results"][0]}


@pytest.mark.usefixtures("complaints")
def test_a_search_with_a_measured_table_and_the_check_of_its_sum(
    page: Page, table: dict[str, Any], picture: Callable[[Page, str], None]
) -> None:
    assert table["table"]["status"] == "ready"
    best = table["search"]["best"]
    page.goto(f"/candidates/{best['id']}/")
    section = page.locator("[data-latency]")
    section.get_by_role("button", name="Measure the whole network").click()
    expect(section.get_by_role("cell", name=re.compile(r"ms \(.* to "))).to_be_visible(timeout=MEASURED)
    expect(section.get_by_role("cell", name=re.compile(r"%$"))).to_be_visible()
    expect(page.locator("[data-costs]")).to_contain_text("Latency")
    picture(page, "candidate-latency")


@pytest.mark.usefixtures("complaints")
def test_tables_are_measured_uploaded_cancelled_and_kept_while_in_use(
    page: Page, table: dict[str, Any], picture: Callable[[Page, str], None]
) -> None:
    page.goto("/latency/")
    page.locator("#measure_measure-name").fill("slow")
    page.get_by_label("Search space").select_option("kind:mobilenet")
    page.get_by_label("Height").fill("64")
    page.get_by_label("Width").fill("64")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_role("heading", name="slow")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".chip")).to_have_text("cancelled")
    page.goto("/latency/")
    form = page.locator("section", has_text="Upload a table")
    form.get_by_label("Name", exact=True).fill("my phone")
    file = {"name": "phone.csv", "mimeType": "text/csv", "buffer": b"operator,milliseconds\nmatmul 3x3x3,1\n"}
    form.get_by_label("CSV or JSON file").set_input_files(file)
    form.get_by_role("button", name="Upload").click()
    expect(form.locator(".errors")).to_contain_text("'matmul' is no operation")
    file["buffer"] = b"operator,milliseconds\nbatch_norm 3x8x8,0.25\n"
    form.get_by_label("CSV or JSON file").set_input_files(file)
    form.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("cell", name="batch_norm 3x8x8")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/latency/{table['table']['id']}/")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".banner.bad")).to_contain_text(f"is used by search {table['search']['id']}")
    picture(page, "latency-list")
