"""The real product, and what tests ask it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from nasweb.benchmarks.product import ROOT, Running
from tests.processes import until

__all__ = ["ROOT", "Product"]


class Product(Running):
    """The product with its answers."""

    def get(self, path: str) -> Any:
        """One answer of the REST API."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)

    def download(self, path: str) -> bytes:
        """One file."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=120) as answer:
            return bytes(answer.read())

    def wait_finished(self, search: int, seconds: float) -> dict[str, Any]:
        """The search when it has ended well."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(self.get(f"searches/{search}/"))
            return found["status"] in ("finished", "failed", "cancelled")

        until(ended, seconds, pause=0.5)
        assert found["status"] == "finished", found["status_reason"]
        return found
