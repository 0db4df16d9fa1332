"""The real product in a process of its own: `manage.py up` with a fresh home on a free port."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
TAKEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "NASWEB_HOST", "NASWEB_TEST_SERVERS")


class Product:
    """Started once; `stop` and `start` again for what survives a restart."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = home
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when the address is printed."""
        environment = {name: value for name, value in os.environ.items() if name not in TAKEN}
        environment |= {
            "NASWEB_HOME": str(self.home),
            "NASWEB_PORT": str(self.port),
            "NASWEB_WORKERS": "1",
            "DJANGO_SETTINGS_MODULE": "nasweb.settings",
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        assert self.url in line, f"the product did not start: {line!r}"

    def stop(self) -> None:
        """As Ctrl-C does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()

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
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.get(f"searches/{search}/")
            if found["status"] in ("finished", "failed", "cancelled"):
                assert found["status"] == "finished", found["status_reason"]
                return found
            time.sleep(1)
        raise AssertionError(f"search {search} did not finish within {seconds:g} s: {found}")
