"""What a page must not do: meet refusals of the content policy, or raise barriers that axe-core finds."""

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
    """What the Content-Security-Policy refused on a page that `WATCH` was added to."""
    return list(page.evaluate("window.refusals"))


def barriers(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA on the page as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
