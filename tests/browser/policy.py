"""Faults of pages: refusals of the content policy, and accessibility barriers that axe-core finds."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.product import ROOT

WATCH = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI, sourceFile, lineNumber, sample } = event;
  window.refusals.push(`${violatedDirective}: ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`);
});
"""
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def refusals(page: Page) -> list[str]:
    """Return what the Content-Security-Policy refused on a page to which `WATCH` was added."""
    return list(page.evaluate("window.refusals"))


def barriers(page: Page) -> list[str]:
    """Return the violations of WCAG 2.2 A and AA that axe-core finds on the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
