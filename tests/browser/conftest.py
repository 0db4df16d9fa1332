"""Real Chromium against the real product; screenshots are kept under ``artifacts/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.chain import run_searches
from tests.browser.product import ROOT, Product

LOOKED_AT = ("test_latency", "test_trainings", "test_sources", "test_studies")
"""What these leave behind, `test_looks` looks at."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the browser; what looks at every page comes last, when there is one of everything.

    Of several processes each has a product of its own: files stay whole, and those with one of everything together.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            name = item.path.stem
            item.add_marker(pytest.mark.xdist_group("looks" if name in LOOKED_AT else name.removeprefix("test_")))
    items.sort(key=lambda item: item.path == here / "test_looks.py")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: str) -> dict[str, Any]:
    """The system's Chromium; in containers it has no sandbox of its own."""
    return {**browser_type_launch_args, "executable_path": chromium, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product, shared by all browser tests."""
    product = Product(tmp_path_factory.mktemp("home"))
    product.start()
    try:
        yield product
    finally:
        product.stop()


@pytest.fixture(scope="session")
def base_url(product: Product) -> str:
    """Makes ``page.goto("/")`` work."""
    return product.url


@pytest.fixture(scope="session")
def chain_searches(product: Product) -> list[int]:
    """Finished searches by table over a user's chain: LayerNAS, evolution, random search, two repeats of the first."""
    return run_searches(product)


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """Errors of scripts and failed loads; a test that uses this fails if there are any."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    yield found
    assert not found


@pytest.fixture(scope="session")
def picture() -> Callable[[Page, str], None]:
    """Keeps a screenshot of the whole page."""
    folder = ROOT / "artifacts" / "browser"
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    return take
