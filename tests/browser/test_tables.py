"""The optimum of a table on pages, and the tables that pages save."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product


@pytest.mark.usefixtures("complaints")
def test_the_tables_optimum_is_one_within_the_limits(page: Page, product: Product, chain_searches: list[int]) -> None:
    found = product.get(f"searches/{chain_searches[0]}/")
    optimum = found["table_optimum"]
    truth = found["best"]["truth"]
    assert (optimum["limits"], truth <= optimum["truth"]) == ("met", True)
    page.goto(f"/searches/{chain_searches[0]}/?value=truth")
    expect(page.locator("main")).to_contain_text(re.compile(r"table's optimum [\d.]+ within the limits"))


def test_a_saved_table_holds_no_formula(page: Page) -> None:
    page.goto("/compare/")
    with page.expect_download() as download:
        page.evaluate(
            """async (rows) => (await import("/static/js/core/dom.js")).saveRows("names.csv", rows)""",
            [["name", "score"], ["=1+2", -0.5], ['a "b", c', "-0.5"], ["@home", None]],
        )
    rows = list(csv.reader(download.value.path().open(newline="")))
    assert rows == [["name", "score"], ["'=1+2", "-0.5"], ['a "b", c', "-0.5"], ["'@home", ""]]
