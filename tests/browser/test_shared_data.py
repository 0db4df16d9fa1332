"""The product on real data and a real truth table, from the upload to the result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.processes import until

pytestmark = [pytest.mark.shared_data, pytest.mark.usefixtures("complaints")]


def test_cifar10_from_the_upload_to_mote_scores(page: Page, product: Product, shared_data: Path) -> None:
    page.goto("/datasets/")
    page.get_by_label("Name", exact=True).fill("CIFAR-10")
    page.get_by_label("Zip of class folders").set_input_files(shared_data / "cifar10.zip")
    page.get_by_role("button", name="Upload").click(timeout=180_000, no_wait_after=True)
    row = page.get_by_role("row", name=re.compile("CIFAR-10"))
    expect(row).to_contain_text(re.compile(r"3 . 32 . 32"), timeout=180_000)
    page.get_by_role("link", name="Search on it").first.click()
    page.get_by_label("Evaluations", exact=True).fill("4")
    page.get_by_label("Round size", exact=True).fill("2")
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile(r"/searches/\d+/$"))
    found = product.wait_finished(int(page.url.rstrip("/").rsplit("/", 1)[1]), 400)
    assert (found["scored"], found["failed"]) == (4, 0)
    assert (found["dataset"], found["estimator"]) == ("CIFAR-10", "mote")


def test_the_authors_reduced_data_with_mote_on_five_of_its_labels(product: Product, shared_data: Path) -> None:
    with httpx.Client(base_url=product.url + "/api/v1/", timeout=60) as client:
        with (shared_data / "cifar100_rd10.zip").open("rb") as file:
            data = client.post("datasets/", files={"file": file}).raise_for_status().json()
        config = {
            "space": {"kind": "nasbench201"},
            "dataset": {"kind": "upload", "id": data["id"]},
            "algorithm": {"kind": "random"},
            "estimator": {"kind": "mote", "reduced_labels": 5},
            "budget": {"evaluations": 3},
            "round_size": 3,
        }
        (text,) = client.post("searches/preflight/", json=config).raise_for_status().json()["reduced_data"]
        assert text.startswith("5 of 10 labels, chosen by their images' coarse pixels")
        number = client.post("searches/", json=config).raise_for_status().json()["id"]
    found = product.wait_finished(number, 200)
    assert (found["scored"], found["failed"]) == (3, 0)


def test_a_truth_table_from_the_upload_to_the_optimum_beside_the_result(
    page: Page, product: Product, shared_data: Path, picture: Callable[[Page, str], None]
) -> None:
    with httpx.Client(base_url=product.url + "/api/v1/", timeout=60) as client:
        with (shared_data / "nasbench201.parquet").open("rb") as file:
            table = client.post("tables/", files={"file": file}).raise_for_status().json()
        config = {
            "name": "NAS-Bench-201 by table",
            "space": {"kind": "nasbench201"},
            "algorithm": {"kind": "layernas", "bucketing": "unique"},
            "estimator": {
                "kind": "table",
                "table": table["id"],
                "reward": "cifar10_val_acc_12",
                "truth": "cifar10_test_acc_200",
            },
            "budget": {"evaluations": 300},
        }
        number = client.post("searches/", json=config).raise_for_status().json()["id"]
    found = product.wait_finished(number, 120)
    assert found["evaluated"] == 300
    assert 93 < found["best"]["truth"] <= found["table_optimum"]["truth"]
    page.goto(f"/searches/{number}/")
    expect(page.locator("main")).to_contain_text(f"{found['table_optimum']['truth']:.2f}"[:5])
    until(lambda: page.evaluate("performance.getEntriesByName('nasweb:first-view').length"))
    picture(page, "search-table")
