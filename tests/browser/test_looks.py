"""Light and dark, wide and 375 px: nothing overflows, no barrier (axe), nothing refused by the content policy.

In a run of all browser tests this file comes last, so that there is one of everything to look at.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOOKED_AT
from tests.browser.layout import overflow
from tests.browser.policy import WATCH, barriers, refusals
from tests.browser.product import Product

PAGES = {
    "list": "/",
    "new": "/searches/new/",
    "data": "/datasets/",
    "tables": "/tables/",
    "digits": "/datasets/digits/",
    "spaces": "/spaces/",
    "latency": "/latency/",
    "studies": "/studies/",
    "trainings": "/trainings/",
    "compare": "/compare/",
    "docs": "/api/v1/docs/",
}
WIDTHS = (375, TABLET := 768, 1920)
HEIGHT = 900

DETAILS = {
    "dataset": "datasets",
    "table": "tables",
    "space": "spaces",
    "latency-table": "latency-tables",
    "study": "studies",
    "training": "trainings",
}
DRAWN = {
    "search": "performance.getEntriesByName('nasweb:first-view').length > 0",
    "candidate": "document.querySelector('[data-costs] *') && document.querySelector('[data-drawing]').naturalWidth",
    "difference": "[...document.querySelectorAll('.drawing img')].every(image => image.naturalWidth)",
}
"""For each page, a selector that is present when the page is drawn."""


def all_pages(product: Product) -> dict[str, str]:
    """Return the addresses of all pages, including pages of rows that exist."""
    pages = dict(PAGES)
    for name, room in DETAILS.items():
        rows = product.get(f"{room}/")
        numbers = [row["id"] for row in (rows["results"] if isinstance(rows, dict) else rows) if row.get("id")]
        folder = "latency" if name == "latency-table" else room
        pages |= {name: f"/{folder}/{numbers[0]}/"} if numbers else {}
    trained = product.get("trainings/")["results"]
    pages |= {"candidate-trained": f"/candidates/{trained[0]['candidate']['id']}/"} if trained else {}
    searches = product.get("searches/")["results"]
    if searches:
        pages["search"] = f"/searches/{searches[0]['id']}/"
        best = searches[0]["best"]
        pages |= {"candidate": f"/candidates/{best['id']}/"} if best else {}
        front = [point["id"] for point in product.get(f"searches/{searches[0]['id']}/pareto/")["front"]]
        pages |= {"difference": f"/candidates/{front[0]}/against/{front[-1]}/"} if len(front) > 1 else {}
        pages["compared"] = f"/compare/?searches={','.join(str(search['id']) for search in searches[:3])}"
    return pages


@pytest.mark.usefixtures("chain_searches")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_is_accessible_and_meets_the_policy(
    browser: Browser,
    product: Product,
    picture: Callable[[Page, str], None],
    request: pytest.FixtureRequest,
    scheme: str,
) -> None:
    """Load each page in the size of a phone, then enlarge the window."""
    phone = {"width": WIDTHS[0], "height": HEIGHT}
    context = browser.new_context(base_url=product.url, viewport=phone, color_scheme=scheme)
    context.add_init_script(WATCH)
    page = context.new_page()
    pages = all_pages(product)
    found = []
    if {f"{name}.py" for name in LOOKED_AT} <= {item.path.name for item in request.session.items}:
        assert {*DETAILS, *DRAWN} <= set(pages)
    for name, path in pages.items():
        page.set_viewport_size(phone)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.wait_for_function(DRAWN.get(name, "true"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            assert overflow(page) <= 0, f"{name} scrolls sideways at {width} px"
            if width == TABLET:
                continue
            if name != "docs":  # Swagger UI is a foreign page
                found += [f"{name} at {width} px: {barrier}" for barrier in barriers(page)]
            picture(page, f"{name}-{scheme}-{width}")
        found += [f"{name}: {refusal}" for refusal in refusals(page)]
    context.close()
    assert not found, "\n".join(found)


@pytest.mark.usefixtures("complaints")
def test_the_chosen_theme_is_kept(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(colour)
    assert dark != light
    page.goto("/datasets/")
    assert page.evaluate(colour) == dark
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(colour) == light


@pytest.mark.usefixtures("complaints")
def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.goto("/searches/new/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.get_by_role("tab", name="Form").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#id_yaml")).to_be_visible()


@pytest.mark.usefixtures("complaints")
def test_a_missing_page_says_so_in_style(page: Page) -> None:
    answer = page.goto("/searches/999999/")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
