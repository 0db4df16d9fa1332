"""From the form to the downloads on digits, as a person does it, with a real worker."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.processes import until

EVALUATIONS = 20
SEARCH_SECONDS = 900.0
LOAD_ALONE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("model", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
others = {"searches", "engine", "django"} & {name.split(".")[0] for name in sys.modules}
assert not others, others
"""
DRAWN = """selector => {
  const chart = echarts.getInstanceByDom(document.querySelector(selector + " .chart"));
  return Object.fromEntries((chart?.getOption()?.series ?? []).map(series => [series.name, series.data.length]));
}"""


def drawn(page: Page, chart: str) -> dict[str, int]:
    """Return the number of points per series of one chart, as the canvas shows them."""
    return page.evaluate(DRAWN, chart)


def start_example(page: Page) -> int:
    """Start the example through the form with fewer evaluations; return the number of the new search."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("New search")).click()
    page.locator("[data-example=digits-cells]").click()
    page.get_by_label("Evaluations", exact=True).fill(str(EVALUATIONS))
    expect(page.locator("#check")).to_contain_text(f"at most {EVALUATIONS}", timeout=30_000)
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile(r"/searches/\d+/$"))
    return int(page.url.rstrip("/").rsplit("/", 1)[1])


@pytest.mark.usefixtures("complaints")
def test_from_the_form_to_the_downloads(
    page: Page, product: Product, picture: Callable[[Page, str], None], tmp_path: Path
) -> None:
    page.goto("/")
    expect(page.locator("[data-empty]")).to_contain_text("Start with a search that is ready")
    picture(page, "list-empty")
    search = start_example(page)

    page.evaluate("window.neverReloaded = true")
    live = page.locator("[data-live]")
    expect(live).to_have_text("Live")
    until(lambda: drawn(page, "#pareto").get("Feasible", 0) > 2, 300)
    first = drawn(page, "#pareto")["Feasible"]
    until(lambda: sum(drawn(page, "#grid").values()) > 0, 120)
    picture(page, "search-running")

    page.context.set_offline(True)
    expect(live).not_to_have_text("Live")
    seen = product.get(f"searches/{search}/")["event_seq"]

    def missed() -> bool:
        now = product.get(f"searches/{search}/")
        return now["event_seq"] > seen or now["status"] == "finished"

    until(missed, 120, pause=0.5)
    page.context.set_offline(False)
    expect(live).to_have_text("Live", timeout=30_000)

    found = product.wait_finished(search, SEARCH_SECONDS)
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=15_000)
    assert found["evaluated"] == EVALUATIONS
    until(lambda: drawn(page, "#pareto")["Feasible"] == found["feasible"], 60)
    assert drawn(page, "#pareto")["Feasible"] > first
    front = product.get(f"searches/{search}/pareto/?metric=madds_m&feasible=1")["front"]
    assert drawn(page, "#pareto")["Pareto front"] == len(front)
    layers = product.get(f"searches/{search}/buckets/")["layers"]
    cells = [bucket for layer in layers for bucket in layer["buckets"] if bucket["score"] is not None]
    until(lambda: sum(drawn(page, "#grid").values()) == len(cells), 30)
    assert page.evaluate("window.neverReloaded")
    picture(page, "search-finished")

    page.locator("#candidates tbody a.mono").first.click()
    page.wait_for_url(re.compile(r"/candidates/\d+/$"))
    expect(page.locator("[data-arch]")).to_have_text(found["best"]["arch"])
    expect(page.locator("[data-loss] canvas").first).to_be_visible()
    until(lambda: page.locator("[data-drawing]").evaluate("image => image.naturalWidth") > 50, 30)
    xray = page.locator("section", has=page.get_by_role("heading", name="X-ray of the score"))
    for part in ("Reduced network", "Reduced data", "Training", "Slice", "Ran on"):
        expect(xray).to_contain_text(part)
    expect(
        page.locator("section", has=page.get_by_role("heading", name="Loss landscape")).locator("canvas")
    ).to_be_visible()
    picture(page, "candidate")
    files = {}
    for kind in ("json", "py", "onnx", "zip"):
        with page.expect_download(timeout=120_000) as download:
            page.locator(f"[data-format={kind}]").click()
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    check_files(files, found["best"]["arch"])


def check_files(files: dict[str, Path], arch: str) -> None:
    """Check that every file loads, and that ONNX gives the same outputs as the zip's PyTorch model."""
    assert json.loads(files["json"].read_text())["architecture"]["string"] == arch
    subprocess.run([sys.executable, "-c", LOAD_ALONE, str(files["py"])], check=True, cwd=files["py"].parent)
    images = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32)
    session = onnxruntime.InferenceSession(files["onnx"].read_bytes())
    (from_onnx,) = session.run(None, {session.get_inputs()[0].name: images})
    archive = zipfile.ZipFile(files["zip"])
    assert {Path(name).suffix for name in archive.namelist()} >= {".json", ".py", ".onnx", ".pt2"}
    exported = next(name for name in archive.namelist() if name.endswith(".pt2"))
    with torch.no_grad():
        from_torch = torch.export.load(io.BytesIO(archive.read(exported))).module()(torch.from_numpy(images)).numpy()
    assert from_onnx.shape == (3, 10)
    assert np.abs(from_onnx - from_torch).max() < 1e-4


@pytest.mark.usefixtures("complaints")
def test_a_restart_of_the_product_survives_on_the_open_page(page: Page, product: Product) -> None:
    page.goto("/")
    live = page.locator("[data-live]")
    expect(live).to_have_text("Live")
    page.evaluate("window.neverReloaded = true")
    product.stop()
    expect(live).to_have_text("No answer; trying again", timeout=30_000)
    product.start()
    expect(live).to_have_text("Live", timeout=60_000)
    assert page.evaluate("window.neverReloaded")
