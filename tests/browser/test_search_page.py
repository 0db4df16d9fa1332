"""The search page on a real finished search: axes, selection, zoom, budget, replay, files; all of it in the address."""

from __future__ import annotations

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.processes import until

pytestmark = pytest.mark.usefixtures("complaints")
SERIES = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector("#pareto .chart"));
  return Object.fromEntries((chart?.getOption()?.series ?? []).map(series => [series.name, series.data]));
}"""
PIXEL = """([x, y, plot = "#pareto"]) => {
  const element = document.querySelector(`${plot} .chart`);
  const [left, top] = echarts.getInstanceByDom(element).convertToPixel("grid", [x, y]);
  const box = element.getBoundingClientRect();
  return [box.left + left, box.top + top];
}"""


def series(page: Page) -> dict[str, list[list[float]]]:
    """Wait for the scatter plot and return its points ``[x, y, number, id]`` by series."""
    return dict(until(lambda: page.evaluate(SERIES)))


def in_address(page: Page, name: str) -> str:
    """Return a parameter of the page's address."""
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


@pytest.fixture
def search(page: Page, product: Product, chain_searches: list[int]) -> dict[str, Any]:
    """The first search, with its page open and drawn."""
    found: dict[str, Any] = product.get(f"searches/{chain_searches[0]}/")
    page.set_viewport_size({"width": 1440, "height": 1600})
    page.goto(f"/searches/{found['id']}/")
    until(lambda: page.evaluate("performance.getEntriesByName('nasweb:first-view').length"))
    return found


def test_near_ties_are_marked(page: Page, product: Product, search: dict[str, Any]) -> None:
    front = product.get(f"searches/{search['id']}/pareto/")["front"]
    limit = 0.01 * (front[-1]["score"] - front[0]["score"])
    tied = [b["number"] for a, b in pairwise(front) if b["score"] - a["score"] <= limit]
    assert tied, "the front has neighbours that hardly differ"
    assert [row[2] for row in series(page)["Near tie"]] == tied
    expect(page.locator("#pareto .caption")).to_contain_text(f"{len(tied)} hollow point")


def test_axes_and_their_front(page: Page, product: Product, search: dict[str, Any]) -> None:
    front = product.get(f"searches/{search['id']}/pareto/?metric=params_m")["front"]
    page.locator("#pareto [name=metric]").select_option("params_m")
    until(lambda: [row[2] for row in series(page)["Pareto front"]] == [point["number"] for point in front])
    assert len(series(page)["Feasible"]) == search["feasible"]
    page.get_by_label("Log x").check()
    until(lambda: in_address(page, "logx") == "1")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#pareto [name=metric]")).to_have_value("params_m")
    expect(page.get_by_label("Log x")).to_be_checked()
    page.locator("#pareto [name=metric]").select_option("truth")
    page.locator("#pareto [name=value]").select_option("madds_m")
    until(lambda: series(page)["Pareto front"][0][0] < 93)


def test_a_rectangle_in_the_plot_narrows_the_table(page: Page, product: Product, search: dict[str, Any]) -> None:
    points = series(page)["Feasible"]
    xs, ys = sorted(p[0] for p in points), sorted(p[1] for p in points)
    low = (xs[len(xs) // 3], ys[len(ys) // 3])
    high = (xs[-len(xs) // 4], ys[-len(ys) // 4])
    page.locator("#pareto .chart").scroll_into_view_if_needed()
    start, end = page.evaluate(PIXEL, low), page.evaluate(PIXEL, high)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*[(a + b) / 2 for a, b in zip(start, end, strict=True)])
    page.mouse.move(*end)
    page.mouse.up()
    chip = page.locator("[data-within]")
    expect(chip).to_be_visible()
    x0, x1, y0, y1 = map(float, in_address(page, "within").split(","))
    inside = [p for p in points if x0 <= p[0] <= x1 and y0 <= p[1] <= y1]
    assert 0 < len(inside) < len(points)
    rows = page.locator("#candidates tbody tr")
    expect(rows).to_have_count(min(50, len(inside)))
    with page.expect_download() as download:
        page.get_by_role("link", name="Selection as CSV").click()
    assert len(list(csv.DictReader(download.value.path().open()))) == len(inside)
    page.reload()
    expect(rows).to_have_count(min(50, len(inside)))
    chip.click()
    expect(chip).to_be_hidden()
    expect(rows).to_have_count(min(50, search["feasible"]))


def test_a_zoom_is_kept_in_the_address(page: Page, search: dict[str, Any]) -> None:
    page.get_by_role("button", name="Zoom in").click()
    window = until(lambda: in_address(page, "window"))
    expect(page.locator("#pareto .caption")).to_contain_text("in view")
    page.reload()
    expect(page.locator("#pareto .caption")).to_contain_text("in view")
    assert in_address(page, "window") == window
    page.get_by_role("button", name="All", exact=True).click()
    until(lambda: not in_address(page, "window"))


def test_the_searchs_best_is_named_beside_the_budgets(page: Page, product: Product, search: dict[str, Any]) -> None:
    crowned = {"id": search["best"]["id"], "number": 99, "cost": 12.5, "by_finals": False}
    found = product.get(f"searches/{search['id']}/budget/")
    assert found["crowned"] is None
    card = page.locator("#budget")
    expect(card.get_by_role("link", name=f"Candidate {search['best']['number']}")).to_be_visible()
    expect(card).not_to_contain_text("The search's best")
    page.route("**/budget/**", lambda route: route.fulfill(json=found | {"crowned": crowned}))
    page.reload()
    expect(card).to_contain_text("The search's best is candidate 99: its score is the same, at a cost of 12.5.")
    crowned["by_finals"] = True
    page.reload()
    expect(card).to_contain_text("The search's best is candidate 99: final scores decided between the finalists.")


def test_the_budget_moves_without_a_new_search(
    page: Page, product: Product, search: dict[str, Any], picture: Callable[[Page, str], None]
) -> None:
    front = product.get(f"searches/{search['id']}/pareto/")["front"]
    middle = front[len(front) // 2]
    card = page.locator("#budget")
    card.get_by_label("Budget", exact=True).fill(str(middle["cost"] * 1.0001))
    card.get_by_label("Budget", exact=True).press("Tab")
    expect(card.get_by_role("link", name=f"Candidate {middle['number']}")).to_be_visible()
    expect(card).to_contain_text("Next cheaper")
    expect(card.locator(".differences li").first).to_be_visible()
    picture(page, "search-budget")
    slider = card.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(card.get_by_role("link", name=f"Candidate {front[0]['number']}")).to_be_visible()
    slider.press("End")
    expect(card.get_by_role("link", name=f"Candidate {front[-1]['number']}")).to_be_visible()


def test_the_front_is_replayed_by_evaluation_and_by_layer(page: Page, search: dict[str, Any]) -> None:
    now = [row[2] for row in series(page)["Pareto front"]]
    slider = page.get_by_role("slider", name="How far the replay has come")
    slider.focus()
    slider.press("Home")
    for _ in range(20):
        slider.press("ArrowRight")
    past = until(lambda: [row[2] for row in series(page).get("Pareto front", []) if row[2] < 20])
    until(lambda: all(row[2] < 20 for row in series(page)["Feasible"]))
    assert past != now
    slider.press("Escape")
    until(lambda: [row[2] for row in series(page)["Pareto front"]] == now)
    page.locator("[data-replay=by]").select_option("layer")
    slider.press("Home")
    slider.press("ArrowRight")
    expect(page.locator("[data-replay=words]")).to_contain_text("up to layer 1 of ")
    expect(page.locator("#pareto .caption")).to_contain_text("Replay, up to layer 1 of ")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator("[data-replay=words]")).to_contain_text("now:", timeout=30_000)
    until(lambda: [row[2] for row in series(page)["Pareto front"]] == now)


GRID = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector("#grid .chart"));
  return chart.getOption().series?.flatMap(series => series.data).map(([column, row, score]) => score);
}"""


def test_the_bucket_grid_is_replayed_too(
    page: Page, product: Product, search: dict[str, Any], picture: Callable[[Page, str], None]
) -> None:
    now = page.evaluate(GRID)
    slider = page.get_by_role("slider", name="How far the replay has come")
    slider.focus()
    slider.press("Home")
    for _ in range(30):
        slider.press("ArrowRight")
    expect(page.locator("#grid .caption")).to_contain_text("Replay: filled again")
    layers = product.get(f"searches/{search['id']}/buckets/?upto=30&residents=0")["layers"]
    buckets = [bucket for layer in layers for bucket in layer["buckets"] if bucket["score"] is not None]
    assert max(bucket["number"] for bucket in buckets) < 30
    until(lambda: sorted(page.evaluate(GRID)) == sorted(bucket["score"] for bucket in buckets))
    picture(page, "search-replay")
    page.locator("[data-replay=by]").select_option("layer")
    until(lambda: page.evaluate(GRID) == now)
    slider.press("Home")
    slider.press("ArrowRight")
    until(lambda: page.evaluate(GRID) not in ([], now))
    expect(page.locator("#grid .caption")).to_contain_text("up to layer 1 of ")
    slider.press("Escape")
    until(lambda: page.evaluate(GRID) == now)
    expect(page.locator("#grid .caption")).not_to_contain_text("Replay")


def test_a_bucket_tells_its_survivors_lineage(page: Page, product: Product, search: dict[str, Any]) -> None:
    layer = product.get(f"searches/{search['id']}/buckets/")["layers"][-1]
    bucket = max((b for b in layer["buckets"] if b["score"] is not None), key=lambda b: b["score"])
    page.locator("#grid").scroll_into_view_if_needed()
    until(lambda: page.evaluate(GRID))
    page.mouse.click(*page.evaluate(PIXEL, [str(bucket["index"]), layer["name"], "#grid"]))
    drawer = page.get_by_role("dialog", name="Bucket")
    expect(drawer).to_contain_text(f"{layer['name']}, bucket {bucket['index']}")
    line = product.get(f"candidates/{bucket['id']}/")["lineage"]
    expect(drawer.locator(".lineage li")).to_have_count(len(line))
    expect(drawer.locator(".lineage li").last).to_contain_text(line[0]["layer_name"])
    drawer.get_by_role("link", name=f"Open candidate {bucket['number']}").click()
    page.wait_for_url(f"**/candidates/{bucket['id']}/")


@pytest.mark.parametrize("plot", ["pareto", "grid", "history"])
def test_every_plot_is_saved_as_picture_and_table(
    page: Page, search: dict[str, Any], plot: str, tmp_path: Path
) -> None:
    card = page.locator(f"#{plot}")
    files = {}
    for kind in ("png", "svg", "csv"):
        card.locator("[data-save] summary").click()
        with page.expect_download() as download:
            card.locator(f"[data-save={kind}]").click()
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert files["svg"].read_text().lstrip().startswith("<svg")
    rows = list(csv.reader(files["csv"].open()))
    assert len(rows) > 2
    assert {len(row) for row in rows} == {len(rows[0])}
