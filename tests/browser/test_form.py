"""The form in a browser: dependent fields, errors at their field, the YAML, own images."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.usefixtures("complaints")


def test_fields_follow_the_kinds(page: Page) -> None:
    page.goto("/searches/new/")
    profile = page.locator("[id='id_estimator.mote.profile']")
    expect(profile).to_be_visible()
    page.locator("[data-kind-of=estimator]").select_option("table")
    expect(profile).to_be_hidden()
    expect(page.locator("[id='id_estimator.table.reward']")).to_be_visible()
    expect(page.locator("[data-kind-of=dataset]")).to_have_value("")
    page.locator("[data-kind-of=space]").select_option("chain")
    expect(page.get_by_label("Definition")).to_contain_text("layers:")


def test_bad_input_is_said_at_its_field_and_kept(page: Page, picture: Callable[[Page, str], None]) -> None:
    page.goto("/searches/new/")
    page.get_by_role("textbox", name="Name").fill("kept as typed")
    page.locator("[id='id_objective.hi']").fill("0.00001")
    expect(page.locator("#check")).to_contain_text("No network is this cheap", timeout=30_000)
    page.get_by_role("button", name="Start the search").click()
    error = page.locator("[id='id_objective.hi_error']")
    expect(error).to_contain_text("No network is this cheap")
    expect(page.locator("[id='id_objective.hi']")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[id='id_objective.hi']")).to_have_value("0.00001")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("kept as typed")
    picture(page, "form-error")


def test_the_yaml_is_the_same_search_and_can_be_edited(page: Page) -> None:
    page.goto("/searches/new/")
    page.get_by_label("Seed", exact=True).fill("41")
    yaml = page.locator("#id_yaml")
    expect(yaml).to_have_value(re.compile(r"^seed: 41$", re.MULTILINE), timeout=30_000)
    page.get_by_role("tab", name="As YAML").click()
    text = yaml.input_value()
    yaml.fill("space: [")
    page.get_by_role("tab", name="Form").click()
    expect(page.locator("#yaml-errors")).to_contain_text("malformed at line 1")
    expect(yaml).to_be_visible()
    yaml.fill(text.replace("seed: 41", "seed: 42"))
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_label("Seed", exact=True)).to_have_value("42")


def striped_images() -> bytes:
    """Return a zip of two classes that a small network can distinguish: horizontal and vertical stripes."""
    rng = np.random.default_rng(0)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("across", "down"):
            for number in range(40):
                image = rng.integers(0, 90, (12, 12, 3), dtype=np.uint8)
                lines = image[::3] if name == "across" else image[:, ::3]
                lines += 150
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                archive.writestr(f"train/{name}/{number}.png", file.getvalue())
    return data.getvalue()


def test_own_images_from_the_upload_to_scores(
    page: Page, product: Product, picture: Callable[[Page, str], None]
) -> None:
    page.goto("/datasets/")
    page.get_by_label("Name", exact=True).fill("Stripes")
    upload = page.get_by_label("Zip of class folders")
    upload.set_input_files({"name": "bad.zip", "mimeType": "application/zip", "buffer": b"this is no zip"})
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#id_file_error")).to_be_visible()
    upload.set_input_files({"name": "stripes.zip", "mimeType": "application/zip", "buffer": striped_images()})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("row", name=re.compile("Stripes"))).to_contain_text(re.compile(r"3 . 12 . 12"))
    picture(page, "datasets")
    page.get_by_role("link", name="Search on it").click()
    page.get_by_label("Evaluations", exact=True).fill("4")
    page.get_by_label("Round size", exact=True).fill("2")
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile(r"/searches/\d+/$"))
    found = product.wait_finished(int(page.url.rstrip("/").rsplit("/", 1)[1]), 300)
    assert found["scored"] == 4
    assert found["dataset"] == "Stripes"
    expect(page.locator("[data-chip]")).to_have_text("finished", timeout=15_000)
