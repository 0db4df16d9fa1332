"""Under a path prefix, behind a proxy that keeps it or removes it: pages, API and live updates."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chain import run_searches
from tests.browser.policy import WATCH, refusals
from tests.browser.product import Product

PREFIX = "/nas/on/a/path"


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A separate product under a path prefix."""
    product = Product(tmp_path_factory.mktemp("prefixed"), NASWEB_PREFIX=PREFIX)
    product.start()
    try:
        yield product
    finally:
        product.stop()


def test_everything_works_under_a_prefix(browser: Browser, prefixed: Product) -> None:
    first = run_searches(prefixed)[0]
    context = browser.new_context(base_url=prefixed.url)
    context.add_init_script(WATCH)
    page = context.new_page()
    found: list[str] = []
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.on("request", lambda asked: None if f"{prefixed.url}{PREFIX}/" in asked.url else found.append(asked.url))
    page.on("websocket", lambda socket: None if PREFIX in socket.url else found.append(socket.url))
    page.goto(f"{PREFIX}/")
    expect(page.locator("[data-live]")).to_have_text("Live", timeout=15_000)
    page.locator(f"[data-id='{first}'] a").first.click()
    page.wait_for_url(re.compile(rf"{PREFIX}/searches/{first}/$"))
    expect(page.locator("[data-live]")).to_have_text("Live", timeout=15_000)
    expect(page.locator("#candidates tbody tr").first).to_be_visible()
    page.locator("[data-next]").click()
    expect(page.locator("[data-previous]")).to_be_enabled()
    page.locator("#candidates tbody a.mono").first.click()
    page.wait_for_url(re.compile(rf"{PREFIX}/candidates/\d+/$"))
    expect(page.locator("[data-drawing]")).to_be_visible()
    for name in ("New search", "Data", "Tables", "Spaces", "Compare"):
        page.goto(f"{PREFIX}/")
        page.get_by_role("link", name=name).first.click()
        page.wait_for_load_state("networkidle")
        found += refusals(page)
    page.goto(f"{PREFIX}/api/v1/docs/")
    expect(page.locator(".opblock").first).to_be_visible(timeout=30_000)
    found += refusals(page)
    context.close()
    assert not found, "\n".join(found)
    stripped = httpx.get(f"{prefixed.url}/api/v1/searches/{first}/candidates/?page_size=2").raise_for_status().json()
    assert stripped["next"].startswith(f"{prefixed.url}{PREFIX}/api/v1/")
    missing = httpx.get(f"{prefixed.url}{PREFIX}/api/v1/nothing/")
    assert missing.headers["Content-Type"] == "application/problem+json"
