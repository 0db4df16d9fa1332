"""A study from the form to its plots, with a real worker; the trust card of the search it was made for."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.browser.test_journey import drawn
from tests.searches.driving import CHAIN


@pytest.mark.usefixtures("complaints")
def test_a_study_from_the_form_to_its_plots(page: Page, product: Product, picture: Callable[[Page, str], None]) -> None:
    config = {
        "name": "For the study",
        "space": {"kind": "chain", "definition": CHAIN},
        "dataset": {"kind": "digits"},
        "estimator": {"kind": "proxy", "name": "synflow"},
        "budget": {"evaluations": 8},
    }
    with httpx.Client(base_url=product.url + "/api/v1/", timeout=60) as client:
        search = client.post("searches/", json=config).raise_for_status().json()["id"]
    product.wait_finished(search, 60)
    page.goto(f"/studies/?search={search}")
    expect(page.get_by_label("Space and data of")).to_have_value(str(search))
    page.get_by_label("Networks").fill("2")
    page.get_by_role("button", name="Start the study").click()
    expect(page.locator("#id_networks_error")).to_contain_text("3")
    page.get_by_label("Networks").fill("24")
    page.get_by_label("MOTE", exact=True).uncheck()
    for label in ("synflow", "params", "naswot"):
        page.get_by_label(re.compile(rf": {label}$")).check()
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_role("button", name="Start the study").click()
    page.wait_for_url(re.compile(r"/studies/\d+/$"))
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=120_000)
    expect(page.locator("[data-table] tbody tr")).to_have_count(3)
    expect(page.locator("[data-note]")).to_contain_text("known of 24 of 24 networks")
    number = int(page.url.rstrip("/").rsplit("/", 1)[1])
    found = product.get(f"studies/{number}/results/")
    assert [row["tau"]["count"] for row in found["estimates"]] == [24] * 3
    assert sum(drawn(page, "#scatter").values()) == 24
    page.locator("[name=estimate]").select_option("1")
    page.wait_for_url(re.compile("estimate=1"))
    picture(page, "study")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 375, "height": 900})
    page.wait_for_timeout(400)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    picture(page, "study-dark-375")
    page.goto("/studies/")
    expect(page.locator("[data-list]")).to_contain_text("synflow")
    picture(page, "studies")
    page.goto("/")
    expect(page.locator("[data-list]")).to_contain_text("For the study")
    expect(page.locator("[data-list]")).not_to_contain_text("params: truth")
    [source] = product.get(f"searches/{search}/trust/")["sources"]
    assert (source["source"], source["count"]) == ("study", 24)
