"""The search page in real Chromium on a real product: first view, updates, table, memory, and lost candidates.

A search grows to its size through the product's own services (`growth`). The page is opened several times, and the
table is sorted and filtered. Then 1,000 candidates per second arrive while the page is measured.
"""

from __future__ import annotations

import shutil
import threading
import time
from importlib.util import find_spec
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connections

from engine.benchmarks.report import Figure, Report
from nasweb.benchmarks.growth import Growth
from nasweb.benchmarks.product import Running
from nasweb.local_owner import local_owner
from searches.models import Candidate, Search

VIEWS = 5
REPEATS = 3
SORTS = ("madds_m", "params_m", "seconds", "number", "score")
FILTERS = (("layer", "3"), ("status", "scored"), ("search", "k5"), ("layer", ""), ("status", ""), ("search", ""))
PATIENCE = 60.0
SORT = """async name => {
  const place = document.querySelector("[data-rows]");
  const begun = performance.now();
  const drawn = new Promise(done => new MutationObserver((_, watch) => { watch.disconnect(); done(); })
    .observe(place, { childList: true }));
  place.querySelector(`[data-sort=${name}]`).click();
  await drawn;
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
FILTER = """async ([name, value]) => {
  const place = document.querySelector("[data-rows]");
  const control = document.querySelector(`#candidates [name=${name}]`);
  const drawn = new Promise(done => new MutationObserver((_, watch) => { watch.disconnect(); done(); })
    .observe(place, { childList: true }));
  control.value = value;
  const begun = performance.now();
  control.dispatchEvent(new Event(control.type === "search" ? "input" : "change"));
  await drawn;
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
FIRST_VIEW = "performance.getEntriesByName('nasweb:first-view')[0]?.startTime ?? null"
SHOWN = "({...document.querySelector('[data-search]').dataset, ...document.querySelector('#pareto').dataset})"


def run(quick: bool) -> Report:
    """Measure with 100,000 candidates and 10 s of 1,000 per second; quick: 1,500 and 2 s of 200 per second."""
    count, rate, seconds, views = (1_500, 200, 2.0, 1) if quick else (100_000, 1_000, 10.0, VIEWS)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or find_spec("playwright") is None:
        return Report({}, skipped="needs Chromium and the package playwright")
    from playwright.sync_api import sync_playwright

    growth = Growth(local_owner(), count + int(rate * seconds) + 1_000)
    growth.grow(count)
    product = Running(settings.NASWEB_HOME)
    product.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = Watched(browser, f"{product.url}/searches/{growth.search.pk}/")
            opened = [page.open() for _ in range(views + 1)]
            table = page.table(1 if quick else REPEATS)
            watched = page.watch(growth, rate, seconds)
            browser.close()
    finally:
        product.stop()
    figures = [
        Figure(f"first_view_ms.{count}", round(median(opened[1:])), "ms", "lower", goal=1_500),
        Figure(f"first_view_after_start_ms.{count}", round(opened[0]), "ms", "lower"),
        Figure(f"update_ms.{count}", round(watched["task_ms"] / watched["updates"], 1), "ms", "lower", goal=100),
        Figure(f"table_ms.{count}", round(max(table.values())), "ms", "lower", goal=300),
        Figure(f"page_memory_mb.{count}", round(watched["heap_mb"], 1), "MB", "lower"),
        Figure(
            f"page_memory_growth_mb.{count}", round(watched["heap_mb"] - watched["heap_before_mb"], 1), "MB", "lower"
        ),
        Figure("burst_per_second", round(watched["written"] / watched["seconds"]), "1/s", "higher", goal=rate),
        Figure("updates_per_second", round(watched["updates"] / watched["seconds"], 2), "1/s", "lower", goal=2.0),
        Figure("events_lost", watched["lost"], "candidates", "lower", goal=0),
    ]
    settings_ = {
        "candidates": count, "views": views, "database": "SQLite", "viewport": "1440x1000, software drawing",
        "first_view": "median; from the navigation until every plot and the table are drawn, empty browser cache; "
        "_after_start is the first view of a server that was just started",
        "update": f"all CPU time of the page's main thread, divided by the updates, while {rate} candidates per second "
        f"arrive for {seconds:g} s; history and table, which are out of view, wait until they are in view",
        "table": "the largest of the medians of each sort and filter, from the click to the new rows; this includes "
        "the 70 ms for which the text filter waits for further typing", "repeats": REPEATS, "table_medians_ms": table,
        "memory": "JavaScript heap after a collection, after the burst",
        "lost": "candidates scored in the database minus those the page shows after the burst",
    }  # fmt: skip
    return Report(settings_, figures)


class Watched:
    """The page of one search, which is opened repeatedly."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        self.url = url
        self.context: Any = None

    def open(self) -> float:
        """Open the page in a new browser context; return the milliseconds until everything is drawn."""
        if self.context is not None:
            self.context.close()
        self.context = self.browser.new_context(viewport={"width": 1440, "height": 1000})
        self.page = self.context.new_page()
        self.session = self.context.new_cdp_session(self.page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(self.url)
        return float(self.until(lambda: self.page.evaluate(FIRST_VIEW)))

    def table(self, repeats: int) -> dict[str, float]:
        """Return the median milliseconds of every sort and filter."""
        self.page.mouse.move(720, 5)
        found = {}
        for name in SORTS:
            found[f"sort {name}"] = median(self.page.evaluate(SORT, name) for _ in range(repeats))
        for name, value in FILTERS:
            took = [self.page.evaluate(FILTER, [name, value]) for _ in range(repeats)]
            found[f"filter {name}={value}"] = median(took)
        return {name: round(value, 1) for name, value in found.items()}

    def watch(self, growth: Growth, rate: int, seconds: float) -> dict[str, Any]:
        """Return the cost of a burst of candidates for the page, and what the page shows after it."""
        before = self.metrics()
        updates = self.updates()
        written = [0]

        def grow() -> None:
            written[0] = growth.burst(rate, seconds)
            connections.close_all()

        burst = threading.Thread(target=grow)
        begun = time.monotonic()
        burst.start()
        burst.join()
        took = time.monotonic() - begun
        last = Search.objects.values_list("event_seq", flat=True).get(pk=growth.search.pk)
        self.until(lambda: int(self.shown()["seq"]) >= last)
        after = self.metrics()
        scored = Candidate.objects.filter(search=growth.search.pk, status=Candidate.Status.SCORED).count()
        return {
            "written": written[0],
            "seconds": took,
            "updates": max(self.updates() - updates, 1),
            "task_ms": 1e3 * (after["TaskDuration"] - before["TaskDuration"]),
            "heap_before_mb": before["JSHeapUsedSize"] / 1e6,
            "heap_mb": after["JSHeapUsedSize"] / 1e6,
            "lost": scored - int(self.shown()["scored"]),
        }

    def metrics(self) -> dict[str, float]:
        """Return Chromium's counters after a garbage collection."""
        self.session.send("HeapProfiler.collectGarbage")
        return {entry["name"]: entry["value"] for entry in self.session.send("Performance.getMetrics")["metrics"]}

    def shown(self) -> dict[str, str]:
        """Return the state that the page reports about itself."""
        return dict(self.page.evaluate(SHOWN))

    def updates(self) -> int:
        """Return the number of updates that the page has drawn."""
        return int(self.shown().get("updates", 0))

    def until(self, condition: Any) -> Any:
        """Wait until the condition's value is not empty and return it; TimeoutError after `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError("the page did not reach the expected state")
            time.sleep(0.05)
        return found
