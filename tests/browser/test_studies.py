"""A study from the form to its plots, with a real worker; the trust card of the search it was made for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.layout import overflow
from tests.browser.product import Product
from tests.browser.test_journey import drawn
from tests.searches.driving import CHAIN
from tests.searches.many_labels import RA_ARMS, RD_ARMS, SEED_ARMS, many_labels

LINES = """() => {
  const { series } = echarts.getInstanceByDom(document.querySelector("#taus .chart")).getOption();
  return series.flatMap(({ markLine }) => (markLine?.data ?? []).map(({ xAxis }) => xAxis));
}"""


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
    page.goto(f"/searches/{search}/")
    page.get_by_role("button", name="Rank scores among 81 random networks").click()
    expect(page.get_by_role("dialog")).to_contain_text("81 networks at")
    page.get_by_role("button", name="Score them").click()
    page.wait_for_url(lambda address: not address.rstrip("/").endswith(f"/searches/{search}"))
    product.wait_finished(int(page.url.rstrip("/").rsplit("/", 1)[1]), 60)
    assert product.get(f"searches/{search}/trust/")["random"]["networks"] == 81
    page.goto(f"/studies/?search={search}")
    expect(page.get_by_label("Space and data of")).to_have_value(str(search))
    page.get_by_label("Networks").fill("2")
    page.get_by_role("button", name="Start the study").click()
    expect(page.locator("#id_networks_error")).to_contain_text("3")
    page.get_by_label("Networks").fill("24")
    page.get_by_label("MOTE", exact=True).uncheck()
    for label in ("SynFlow", "Parameters", "NASWOT"):
        page.get_by_label(label, exact=True).check()
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_role("button", name="Start the study").click()
    page.wait_for_url(re.compile(r"/studies/\d+/$"))
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=240_000)
    expect(page.locator("[data-table] tbody tr")).to_have_count(6)
    expect(page.locator("[data-table] tbody")).to_contain_text("Baseline: multiply-adds")
    expect(page.locator("[data-verdicts]")).to_contain_text("“params” ranks these 24 networks")
    expect(page.locator("[data-verdicts]")).to_contain_text("exactly as parameters")
    expect(page.locator("[data-note]")).to_contain_text("known for 24 of 24 networks")
    number = int(page.url.rstrip("/").rsplit("/", 1)[1])
    found = product.get(f"studies/{number}/results/")
    assert [row["tau"]["count"] for row in found["estimates"]] == [24] * 3
    assert sum(drawn(page, "#scatter").values()) == 24
    assert page.evaluate(LINES) == [0], "no correlation is marked"
    expect(page.locator("[data-about]")).to_contain_text("24 random networks")
    expect(page.locator("[data-note]")).to_contain_text("where that tenth has ten networks or more")
    assert page.locator("[data-table] tbody tr").first.locator("td").nth(4).inner_text() == "\u2013", "two are no tenth"
    page.locator("[name=estimate]").select_option("1")
    page.wait_for_url(re.compile("estimate=1"))
    picture(page, "study")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 375, "height": 900})
    assert overflow(page) <= 0
    picture(page, "study-dark-375")
    page.goto("/studies/")
    expect(page.locator("[data-list]")).to_contain_text("synflow")
    picture(page, "studies")
    page.goto("/")
    expect(page.locator("[data-list]")).to_contain_text("For the study")
    expect(page.locator("[data-list]")).not_to_contain_text("params: truth")
    large = product.get(f"studies/{number}/")
    large["config"]["networks"] = 40  # as older versions took it of a space of 24
    page.route(f"**/api/v1/studies/{number}/", lambda route: route.fulfill(json=large))
    page.goto(f"/studies/{number}/")
    expect(page.locator("[data-about]")).to_contain_text("24 of 40 random networks")
    trusted = product.get(f"searches/{search}/trust/")
    [source] = trusted["sources"]
    assert (source["source"], source["count"]) == ("study", 24)
    page.goto(f"/searches/{search}/")
    card = page.locator("[data-trust]")
    expect(card.locator("tbody tr")).to_have_count(4)
    expect(card).to_contain_text(source["sentence"])
    expect(card).to_contain_text(trusted["random"]["words"])
    picture(page, "trust")


@pytest.mark.usefixtures("complaints")
def test_ablations_from_a_space_and_data(
    page: Page, product: Product, picture: Callable[[Page, str], None], tmp_path: Path
) -> None:
    """Without a search: RD against RD-RS and full data of uploaded images; the reduced network against the full one."""
    images = tmp_path / "twelve.zip"
    images.write_bytes(many_labels())
    with httpx.Client(base_url=product.url + "/api/v1/", timeout=60) as client:
        sent = {"file": (images.name, images.read_bytes(), "application/zip")}
        uploaded = client.post("datasets/", data={"name": "Twelve labels"}, files=sent).raise_for_status().json()["id"]
    for tick, data, arms in (
        ("MOTE on reduced data", f"upload:{uploaded}", RD_ARMS),
        ("MOTE with the reduced network", "digits", RA_ARMS),
    ):
        page.goto("/studies/")
        page.get_by_label("Space", exact=True).select_option("example:digits_chain")
        page.get_by_label("Data", exact=True).select_option("digits")
        page.get_by_label("Networks").fill("4")
        page.get_by_label("MOTE", exact=True).uncheck()
        page.get_by_label(tick).check()
        page.get_by_label("Epochs", exact=True).fill("2")
        if arms is RD_ARMS:
            page.get_by_role("button", name="Start the study").click()
            expect(page.locator("#id_compare_error")).to_contain_text("too few to leave any out")
        page.get_by_label("Data", exact=True).select_option(data)
        page.get_by_role("button", name="Forecast the time").click()
        expect(page.locator("[data-forecast]")).to_contain_text("forecast")
        picture(page, f"study-form-{data.partition(':')[0]}")
        page.get_by_role("button", name="Start the study").click()
        page.wait_for_url(re.compile(r"/studies/\d+/$"))
        expect(page.locator("[data-chip]")).to_have_text("finished", timeout=240_000)
        number = int(page.url.rstrip("/").rsplit("/", 1)[1])
        found = product.get(f"studies/{number}/results/")
        whole = [row for row in found["estimates"] if not row["term"]]
        assert [(row["name"], row["scored"]) for row in whole] == [(arm, 4) for arm in arms]
        for arm in arms:
            expect(page.locator("[data-table] tbody")).to_contain_text(arm)
        expect(page.locator("#agreement canvas").first).to_be_visible()
        if arms is RA_ARMS:  # after two epochs on the twelve labels' few images all accuracies may be equal
            assert all(row["tau"]["count"] == 4 for row in whole)
            expect(page.locator("#taus canvas").first).to_be_visible()
            assert sum(drawn(page, "#scatter").values()) == 4
        picture(page, f"study-compared-{data.partition(':')[0]}")
    page.goto("/studies/")
    page.get_by_label("Space", exact=True).select_option("kind:nasbench201")
    page.get_by_label("MOTE", exact=True).uncheck()
    for tick in ("by its landscape alone", "where there are skip connections", "under five seeds"):
        page.get_by_label(tick).check()
    page.get_by_role("button", name="Forecast the time").click()
    for arm in ("MOTE", *SEED_ARMS, "truth"):
        expect(page.locator("[data-forecast] dt").get_by_text(arm, exact=True)).to_be_visible()
    picture(page, "study-form-questions")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 375, "height": 900})
    assert overflow(page) <= 0
    picture(page, "study-form-dark-375")
