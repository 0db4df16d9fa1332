"""How a page is laid out."""

from __future__ import annotations

from playwright.sync_api import Page

FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window.

    Two frames pass first, so that what listens to the window's size has drawn.
    """
    page.evaluate(FRAMES)
    return int(page.evaluate(OVERFLOW))
