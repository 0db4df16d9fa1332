"""Full training in a browser: true accuracies beside MOTE on digits, and download of trained weights."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime
import pytest
from playwright.sync_api import Page, expect

from engine.config.datasets import DigitsOptions
from engine.datasets.digits import DigitsData
from tests.browser.layout import overflow
from tests.browser.product import Product
from tests.processes import until

LAYER = {"conv": {"block": "conv", "kernel": [3, 1], "width": [24, 12, 6]}}
CONFIG = {
    "name": "Trained in full",
    "space": {
        "kind": "chain",
        "definition": {
            "name": "short",
            "stem": {"width": 8},
            "layers": [{"name": "first", "options": LAYER}, {"name": "second", "stride": 2, "options": LAYER}],
        },
    },
    "dataset": {"kind": "digits"},
    "algorithm": {"kind": "layernas", "buckets": 4, "replicas": 1},
    "estimator": {"kind": "mote"},
    "objective": {"cost_metric": "madds_m"},
    "budget": {"evaluations": 6},
    "round_size": 3,
}


LAID_OUT = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector("#full-training .chart"));
  const { scale } = chart.getModel().getComponent("yAxis").axis;
  return [chart.getOption().series[0].data.map(([, accuracy]) => accuracy), scale.getExtent()];
}"""


@pytest.fixture(scope="module")
def search(product: Product) -> int:
    """A finished MOTE search of six small networks."""
    answer = httpx.post(f"{product.url}/api/v1/searches/", json=CONFIG, timeout=60)
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["id"])
    product.wait_finished(number, 300)
    return number


@pytest.mark.usefixtures("complaints")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_two_networks_side_by_side(
    page: Page, product: Product, search: int, picture: Callable[[Page, str], None], scheme: Any, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    rows = product.get(f"searches/{search}/candidates/?ordering=number")["results"]
    page.goto(f"/candidates/{rows[1]['id']}/")
    page.get_by_label("Compare with candidate").fill("0")
    page.get_by_role("button", name="Show the difference").click()
    page.wait_for_url(re.compile(r"/candidates/\d+/against/\d+/$"))
    expect(page.locator("[data-summary]")).to_contain_text("of 2 differ")
    expect(page.locator("[data-layers] tbody tr").first).to_contain_text("conv")
    expect(page.locator("[data-costs]")).to_contain_text("Multiply-adds")
    for side in ("own", "other"):
        drawing = page.locator(f"[data-drawing={side}]")
        drawing.scroll_into_view_if_needed()
        until(lambda image=drawing: image.evaluate("image => image.naturalWidth") > 50, 30)
    page.evaluate("scrollTo(0, 0)")
    assert overflow(page) <= 0
    picture(page, f"difference-{scheme}-{width}")


@pytest.mark.usefixtures("complaints")
def test_the_front_is_trained_in_full(
    page: Page, product: Product, search: int, picture: Callable[[Page, str], None]
) -> None:
    page.goto(f"/searches/{search}/")
    panel = page.locator("#full-training")
    panel.get_by_role("button", name="Train the front in full").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Recipe").select_option("nasbench201")
    expect(dialog).to_contain_text("Shortened: 20 of 200 epochs")
    dialog.get_by_label("Recipe").select_option("quick")
    dialog.get_by_label("Epochs").fill("3")
    expect(dialog).to_contain_text("Shortened: 3 of 20 epochs")
    picture(page, "training-dialog")
    dialog.get_by_role("button", name="Start training").click()
    front = product.get(f"searches/{search}/pareto/")["front"]
    expect(panel.locator("[data-verdict]")).to_contain_text(f"over {len(front)} network", timeout=180_000)
    expect(panel.locator("[data-verdict]")).to_contain_text("shortened: 3 of 20 epochs")
    expect(page.locator("#candidates thead")).to_contain_text("Trained valid.", timeout=30_000)
    page.locator("#pareto [name=value]").select_option("trained_valid_accuracy")
    page.evaluate("scrollTo(0, 0)")
    picture(page, "trained-search")

    page.goto("/trainings/")
    rows = page.locator(".training-row")
    expect(rows).to_have_count(len(front))
    expect(rows.first.locator(".chip")).to_have_text("finished")
    picture(page, "trainings")
    rows.first.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/trainings/\d+/$"))
    training = product.get(f"trainings/{page.url.rstrip('/').rsplit('/', 1)[1]}/")
    expect(page.locator("[data-kpis]")).to_contain_text(re.compile(r"epoch \d, the best"))
    expect(page.locator("[data-accuracy] canvas").first).to_be_visible()
    assert len(training["valid_accuracies"]) == 3
    assert training["test_accuracy"] is not None
    picture(page, "training")
    page.get_by_role("link", name="Candidate", exact=True).click()
    expect(page.locator("[data-scores]")).to_contain_text("Trained test accuracy")
    valid = format(training["valid_accuracy"], ".4g")
    expect(page.locator("[data-weights]")).to_contain_text(f"validation accuracy {float(valid):g} %")
    with page.expect_download(timeout=120_000) as download:
        page.locator("[data-format=zip]").click()
        expect(page.locator("[data-format=zip]")).to_contain_text("being prepared")
    picture(page, "candidate-trained")
    archive = zipfile.ZipFile(download.value.path())
    files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    accuracy = f"Validation accuracy {training['valid_accuracy']:.2f} %"
    assert accuracy in " ".join(files["README.txt"].decode().split())
    assert f"test accuracy {training['test_accuracy']:.2f} %" in " ".join(files["README.txt"].decode().split())
    verification = json.loads(files["verification.json"])
    assert verification["weights"]["test_accuracy"] == training["test_accuracy"]
    check_accuracy(files, training)

    page.get_by_label("Form").select_option("backbone")
    page.locator("[data-format=py]").click()
    expect(page.locator(".toasts")).to_contain_text("images of 8x8 are too small")

    schemes: tuple[tuple[Any, int], ...] = (("light", 375), ("dark", 375), ("dark", 1280))
    for scheme, width in schemes:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        for name, path in {"trainings": "/trainings/", "training": f"/trainings/{training['id']}/"}.items():
            page.goto(path)
            page.wait_for_load_state("networkidle")
            assert overflow(page) <= 0, f"{name} scrolls sideways at {width} px"
            picture(page, f"{name}-{scheme}-{width}")


@pytest.mark.usefixtures("complaints")
def test_each_recipe_is_compared_by_itself(page: Page, search: int, picture: Callable[[Page, str], None]) -> None:
    """The server's first group is shown first, other groups by choice; ties are shown as ties."""

    def group(described: str, accuracies: list[float], tau: float | None) -> dict[str, Any]:
        rows = [
            {"training": at, "candidate": at, "number": at, "score": at / 7, "valid_accuracy": value}
            for at, value in enumerate(accuracies)
        ]
        figures = {"kendall_tau": tau, "p_value": tau, "pairs": len(rows) * (len(rows) - 1) // 2, "inverted": 0}
        return {"described": described, "data": "Digits", "trainings": rows, "inversions": [], **figures}

    trained = [
        group("Quick recipe, 20 epochs", [98.5, 99.0, 99.9], 1.0),
        group("Quick recipe, shortened: 5 of 20 epochs", [90.0] * 6, None),
        group("NAS-Bench-201 recipe, 200 epochs", [100.0], None),
    ]
    page.route(f"**/searches/{search}/trained/", lambda route: route.fulfill(json=trained))
    page.goto(f"/searches/{search}/")
    panel = page.locator("#full-training")
    recipe = panel.get_by_label("Recipe")
    verdict = panel.locator("[data-verdict]")
    pairs = panel.locator("[data-inversions]")
    expect(verdict).to_contain_text(
        "1 over 3 networks; 0 of 3 pairs in the wrong order. Quick recipe, 20 epochs, on Digits"
    )
    expect(pairs).to_contain_text("no pair was ordered the other way round")
    panel.scroll_into_view_if_needed()
    until(lambda: page.evaluate(LAID_OUT)[0] == [98.5, 99.0, 99.9], 30)
    assert page.evaluate(LAID_OUT)[1][1] <= 100
    picture(page, "training-recipes")
    recipe.select_option("Quick recipe, shortened: 5 of 20 epochs, on Digits")
    expect(verdict).to_contain_text("All 6 networks reached the same accuracy")
    expect(pairs).to_contain_text("None to see yet")
    recipe.select_option(label="NAS-Bench-201 recipe, 200 epochs, on Digits (1 network)")
    expect(verdict).to_contain_text("Two trained networks are needed")
    until(lambda: page.evaluate(LAID_OUT)[0] == [100], 30)
    assert page.evaluate(LAID_OUT)[1] == [90, 100]
    picture(page, "training-recipes-one")
    page.set_viewport_size({"width": 375, "height": 800})
    assert overflow(page) <= 0
    trained[1:] = []
    page.goto(f"/searches/{search}/")
    expect(verdict).to_contain_text("over 3 networks")
    expect(recipe).to_be_hidden()


def check_accuracy(files: dict[str, bytes], training: dict[str, Any]) -> None:
    """Check that the ONNX file and the weights classify the held-out images with the stated accuracy."""
    splits = DigitsData(DigitsOptions(), Path()).load()
    model = next(data for name, data in files.items() if name.endswith(".onnx"))
    session = onnxruntime.InferenceSession(model)
    for split, stated in ((splits.valid, training["valid_accuracy"]), (splits.test, training["test_accuracy"])):
        (logits,) = session.run(None, {"images": split.images.astype(np.float32) / 255})
        assert 100 * float((logits.argmax(axis=1) == split.labels).mean()) == pytest.approx(stated, abs=0.3)
