"""Three algorithms on a user's own chain and table, run by the API and compared in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chain import KINDS, LABELS
from tests.browser.layout import overflow
from tests.browser.product import Product
from tests.browser.test_journey import drawn


@pytest.mark.usefixtures("complaints")
def test_the_page_lays_three_algorithms_over_one_another(
    page: Page, product: Product, chain_searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    page.goto("/")
    for number in chain_searches[:3]:
        page.locator(f"[data-id='{number}'] input[type=checkbox]").check()
    page.get_by_role("link", name="Compare 3").click()
    expect(page.get_by_role("heading", name="Compare searches")).to_be_visible()
    expect(page.locator("[data-table] tbody tr")).to_have_count(3)
    fronts = drawn(page, "#fronts")
    assert set(fronts) == {f"{LABELS[kind]} on a chain" for kind in KINDS}
    assert all(fronts.values())
    compared = product.get(f"comparisons/?searches={','.join(map(str, chain_searches[:3]))}")
    assert list(fronts.values()) == [len(shown["front"]) for shown in compared["searches"]]
    assert all(product.get(f"candidates/{shown['best']['id']}/")["feasible"] for shown in compared["searches"])
    expect(page.locator("[data-settings]")).to_contain_text("algorithm.kind")
    page.locator("#best [name=value]").select_option("truth")
    page.wait_for_url(re.compile("value=truth"))
    expect(page.locator("#best .caption")).to_contain_text("which no search has seen")
    picture(page, "compare")


@pytest.mark.usefixtures("complaints")
def test_repeats_are_one_line_with_its_spread(
    page: Page, chain_searches: list[int], picture: Callable[[Page, str], None]
) -> None:
    page.goto(f"/compare/?searches={','.join(map(str, chain_searches))}")
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(5)
    label = "LayerNAS on a chain × 3 seeds"  # noqa: RUF001 - as the page writes it
    assert {label, f"{label}: least", f"{label}: largest"} <= set(drawn(page, "#best"))
    picture(page, "compare-repeats")
    page.get_by_role("button", name="Leave out Random search on a chain").click()
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(4)
    for scheme, width in (("dark", 1440), ("light", 375)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        picture(page, f"compare-{scheme}-{width}")


@pytest.mark.usefixtures("complaints")
def test_what_is_missing_is_left_out_and_named(page: Page, chain_searches: list[int]) -> None:
    first, second = chain_searches[:2]
    page.goto(f"/compare/?searches={first},999999,abc,{second}")
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(2)
    expect(page.locator("[data-warnings]")).to_contain_text("Not shown, because you have no such search: 999999, abc.")
    expect(page.locator("[data-error]")).to_be_hidden()
    page.get_by_role("button", name="Leave out").first.click()
    expect(page.locator("[data-chosen] .legend-entry")).to_have_count(1)
    expect(page.locator("[data-warnings]")).to_be_hidden()
    page.wait_for_url(re.compile(rf"searches={second}$"))
