"""Control of a running search from its page: pause, resume, stop, extend, cancel; workers, log, final notification."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.processes import until

pytestmark = pytest.mark.usefixtures("complaints")
PATIENCE = 60_000
CONFIG: dict[str, Any] = {
    "name": "Steered",
    "space": {"kind": "nats_size"},
    "dataset": {"kind": "digits"},
    "algorithm": {"kind": "layernas"},
    "estimator": {"kind": "proxy", "name": "synflow"},
    "budget": {"evaluations": 2_000},
    "round_size": 4,
}
LISTENING = """
window.told = [];
window.Notification = class extends window.Notification {
  constructor(title, options) {
    super(title, options);
    window.told.push(`${title}. ${options.body}`);
  }
};
"""
LAST = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector("#history .chart"));
  return chart.getOption().series.find(({ name }) => name === "Best score")?.data.at(-1)[0];
}"""


def opened(page: Page, product: Product, **changes: Any) -> int:
    """Start a search, open its page, and return the search's number."""
    answer = httpx.post(f"{product.url}/api/v1/searches/", json=CONFIG | changes, timeout=60).raise_for_status()
    search = int(answer.json()["id"])
    page.goto(f"/searches/{search}/")
    return search


def test_a_search_is_paused_resumed_and_stopped(
    page: Page, product: Product, picture: Callable[[Page, str], None]
) -> None:
    page.context.grant_permissions(["notifications"])
    page.add_init_script(LISTENING)
    search = opened(page, product)
    chip = page.locator("[data-chip]")
    page.get_by_role("button", name="Notify me when it ends").click()
    expect(page.locator("[data-notify]")).to_have_text("You will be notified when it ends")
    expect(page.locator("#work [data-work] li").first).to_contain_text("MB", timeout=PATIENCE)
    until(lambda: product.get(f"searches/{search}/")["evaluated"] > 4, 60)

    page.get_by_role("button", name="Pause").click()
    expect(chip).to_have_text("paused", timeout=PATIENCE)
    halted = product.get(f"searches/{search}/")["evaluated"]
    page.get_by_role("button", name="Resume").click()
    expect(chip).to_have_text("running", timeout=PATIENCE)
    until(lambda: product.get(f"searches/{search}/")["evaluated"] > halted, 60)

    page.get_by_role("tab", name="Workers").click()
    expect(page.locator("#workers tbody tr").first).to_contain_text("alive", timeout=PATIENCE)
    expect(page.locator("#workers")).to_contain_text("cpu", timeout=PATIENCE)
    picture(page, "search-workers")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it").click()
    expect(chip).to_have_text("finished", timeout=PATIENCE)
    until(lambda: page.evaluate("window.told"), 30)
    (told,) = page.evaluate("window.told")
    assert told.startswith("Steered: finished. ")
    assert "Best score" in told
    page.get_by_role("tab", name="Log").click()
    log = page.get_by_label("Event log, newest first")
    for word in ("paused", "running", "finished"):
        expect(log).to_contain_text(word)
    assert product.get(f"searches/{search}/")["evaluated"] < CONFIG["budget"]["evaluations"]


def test_a_search_is_extended_and_another_cancelled(page: Page, product: Product) -> None:
    search = opened(page, product, name="Extended", budget={"evaluations": 4}, seed=1)
    expect(page.get_by_role("link", name="Front as zip")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-without-front]")).to_be_hidden()
    product.wait_finished(search, 120)
    page.get_by_role("button", name="Extend budget").click(timeout=PATIENCE)
    expect(page.get_by_label("Seconds to add")).to_have_count(0)  # the search has no limit in seconds
    page.get_by_label("Evaluations to add").fill("3")
    page.get_by_role("button", name="Extend", exact=True).click()
    expect(page.locator("[data-kpis]")).to_contain_text("7 / 7", timeout=PATIENCE)
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=PATIENCE)
    page.locator(
        "#history"
    ).scroll_into_view_if_needed()  # a plot that was out of view is updated when it comes into view
    until(lambda: page.evaluate(LAST) == 7)

    search = opened(page, product, name="Cancelled", seed=2)
    page.get_by_label(re.compile("More actions")).click(timeout=PATIENCE)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("[data-chip]")).to_have_text("cancelled", timeout=PATIENCE)
    assert product.get(f"searches/{search}/")["status"] == "cancelled"


@pytest.mark.parametrize("kind", ["searches", "studies"])
def test_what_was_deleted_elsewhere_is_said_and_asked_for_no_more(page: Page, product: Product, kind: str) -> None:
    page.clock.install()
    if kind == "searches":
        path = f"{kind}/{opened(page, product, name='Deleted', budget={'evaluations': 4}, seed=3)}/"
    else:
        estimates = [{"label": name, "estimator": {"kind": "proxy", "name": name}} for name in ("synflow", "naswot")]
        study = {"space": CONFIG["space"], "dataset": CONFIG["dataset"], "networks": 3, "arms": estimates}
        answer = httpx.post(f"{product.url}/api/v1/studies/", json=study, timeout=60).raise_for_status()
        path = f"{kind}/{answer.json()['id']}/"
        page.goto(f"/{path}")
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=PATIENCE)
    expect(page.locator("[data-live]")).to_have_text("Live")
    httpx.delete(f"{product.url}/api/v1/{path}", timeout=60).raise_for_status()
    expect(page.get_by_role("heading", level=1)).to_contain_text("was deleted", timeout=PATIENCE)
    expect(page.locator("main button")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.clock.run_for(60_000)  # many times the pause between two polls
    page.evaluate("fetch('/healthz/').then(answer => answer.status)")  # answered after all earlier requests
    assert asked == ["/healthz/"]
    page.get_by_role("link", name=f"To the {kind}").click()
    page.wait_for_url(f"{product.url}/" if kind == "searches" else f"{product.url}/studies/")
