"""The real product, and the requests of tests."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from nasweb.benchmarks.product import ROOT, Running
from tests.processes import until

__all__ = ["ROOT", "Product"]


class Product(Running):
    """The running product, and its answers."""

    def get(self, path: str) -> Any:
        """Return one answer of the REST API."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)

    def download(self, path: str) -> bytes:
        """Return the bytes of one file."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=120) as answer:
            return bytes(answer.read())

    def wait_finished(self, search: int, seconds: float) -> dict[str, Any]:
        """Wait until the search has finished, and return it."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(self.get(f"searches/{search}/"))
            return found["status"] in ("finished", "failed", "cancelled")

        until(ended, seconds, pause=0.5)
        assert found["status"] == "finished", found["status_reason"]
        return found
