"""Data, spaces and tables in a browser: uploaded, inspected, defined with a preview, deleted."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.product import Product

CHAIN = "layers:\n  - {name: first, stride: 2, options: {conv: {block: conv, width: [16, 8]}, skip: max_pool}}\n"


def pictures() -> dict[str, Any]:
    """Return a zip of coloured stripes: three classes of unequal size, with test images."""
    rng = np.random.default_rng(0)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for label, (name, count) in enumerate({"red stripes": 24, "green": 16, "blue": 8}.items()):
            for part, number in (("train", count), ("test", 4)):
                for index in range(number):
                    pixels = rng.integers(0, 90, (24, 32, 3), dtype=np.uint8)
                    pixels[:: label + 2, :, label] = 230
                    png = io.BytesIO()
                    Image.fromarray(pixels).save(png, "PNG")
                    archive.writestr(f"{part}/{name}/{index}.png", png.getvalue())
    return {"name": "stripes.zip", "mimeType": "application/zip", "buffer": data.getvalue()}


@pytest.fixture(scope="module")
def rows(browser: Browser, product: Product) -> dict[str, str]:
    """Addresses of a data set, a space and a table that were added through the pages."""
    page = browser.new_page(base_url=product.url)
    page.goto("/datasets/")
    page.get_by_label("Name", exact=True).fill("Sorted stripes")
    page.get_by_label("Zip of class folders").set_input_files(pictures())
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("link", name="Sorted stripes")).to_be_visible()
    found = {"dataset": page.get_by_role("link", name="Sorted stripes").get_attribute("href") or ""}
    page.goto("/spaces/")
    page.get_by_label("Definition").fill("layers: [")
    expect(page.locator("#space-check")).to_contain_text("malformed", timeout=30_000)
    page.get_by_label("Definition").fill(CHAIN)
    expect(page.locator("#space-check dd").first).to_have_text("3", timeout=30_000)
    drawing = page.locator("#space-check img")
    expect(drawing).to_be_visible()
    assert drawing.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_label("Side, pixels").fill("1")
    expect(page.locator("#space-check")).to_contain_text("Stride 2 is too large for a map of 1x1", timeout=30_000)
    page.get_by_label("Name", exact=True).fill("Three ways")
    page.get_by_role("button", name="Save", exact=True).click()
    found["space"] = page.get_by_role("link", name="Three ways").get_attribute("href") or ""
    page.goto("/tables/")
    expect(page.get_by_role("row", name=re.compile("NATS-Bench topology"))).to_contain_text("missing")
    page.get_by_label("Name", exact=True).fill("Scores")
    lines = "".join(f"8:8:8:8:{width},{50 + width}\n" for width in (8, 16, 24))
    file = {"name": "scores.csv", "mimeType": "text/csv", "buffer": f"arch,valid_accuracy\n{lines}".encode()}
    page.get_by_label("CSV or Parquet file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    found["table"] = page.get_by_role("link", name="Scores").get_attribute("href") or ""
    page.close()
    return found


@pytest.mark.usefixtures("complaints")
def test_sources_are_looked_into(page: Page, rows: dict[str, str]) -> None:
    page.goto(rows["dataset"])
    sample = page.get_by_role("img", name="Images of class red stripes")
    assert sample.evaluate("image => image.decode().then(() => image.naturalWidth)") > 600
    expect(page.get_by_role("row", name=re.compile("blue"))).to_contain_text("6")  # 8, of which 2 are held out
    page.get_by_label("Images").select_option("test")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("part=test"))
    page.goto(rows["space"])
    page.get_by_label("Side, pixels").fill("64")
    page.get_by_role("button", name="Count again").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"3 . 64 . 64"))
    page.goto(rows["table"])
    expect(page.get_by_role("row", name=re.compile("valid_accuracy"), exact=False).first).to_contain_text("66")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".banner.good")).to_contain_text("“Scores” was deleted")
