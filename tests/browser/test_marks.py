"""Pin, hide, tag and annotate a candidate in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product


@pytest.mark.usefixtures("complaints")
def test_a_candidate_is_marked_by_hand(
    page: Page, product: Product, chain_searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    candidate = product.get(f"searches/{chain_searches[0]}/")["best"]["id"]
    page.goto(f"/candidates/{candidate}/")
    marks = page.locator("[data-marks]")
    marks.get_by_role("button", name="Pin").click()
    expect(marks.get_by_role("button", name="Unpin")).to_have_attribute("aria-pressed", "true")
    for tag in ("small", "to train"):
        marks.get_by_label("Add a tag").fill(tag)
        marks.get_by_label("Add a tag").press("Enter")
        expect(marks.locator(".tag", has_text=tag)).to_be_visible()
    marks.get_by_role("button", name="Write a note").click()
    marks.get_by_label("Note in Markdown").fill("Better than **all** others:\n\n- cheap\n- <b>quick</b>")
    marks.get_by_role("button", name="Save").click()
    expect(marks.locator(".prose strong")).to_have_text("all")
    expect(marks.locator(".prose li").nth(1)).to_have_text("<b>quick</b>")
    picture(page, "candidate-marks")
    page.reload()
    expect(marks.locator(".tag")).to_have_text([re.compile("small"), re.compile("to train")])
    marks.get_by_role("button", name="Remove the tag small").click()
    expect(marks.locator(".tag")).to_have_count(1)
    kept = product.get(f"candidates/{candidate}/")
    assert (kept["pinned"], kept["tags"]) == (True, ["to train"])


@pytest.mark.usefixtures("complaints")
def test_the_search_page_shows_marks_a_note_and_the_trust_card(
    page: Page, product: Product, chain_searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    search = chain_searches[1]
    page.goto(f"/searches/{search}/")
    expect(page.locator("[data-trust]")).to_contain_text("the table's truth", timeout=60_000)
    found = product.get(f"searches/{search}/trust/")["sources"][0]
    expect(page.locator("[data-trust]")).to_contain_text(f"{found['count']} networks")
    rows = page.locator("[data-rows] tbody tr")
    expect(rows.first).to_be_visible()
    rows.nth(1).get_by_role("button", name=re.compile("Pin candidate")).click()
    expect(rows.nth(1).locator(".pin")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Marks").select_option("pinned")
    expect(rows).to_have_count(1)
    page.wait_for_url(re.compile("marks=pinned"))
    page.get_by_role("button", name="Write a note").click()
    page.get_by_label("Note in Markdown").fill("Evolution, *for comparison*")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-note] em")).to_have_text("for comparison")
    picture(page, "search-marks")
