"""The real product in a separate process: `manage.py up` with its own home on a free port."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
TAKEN = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "NASWEB_HOST",
    "NASWEB_PREFIX",
    "NASWEB_TEST_SERVERS",
)
"""Environment variables that would change the product, and are therefore removed."""


class Running:
    """A running product; `stop` and `start` restart it on the same home. ``settings`` are environment variables."""

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = home
        self.settings = settings
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the product and wait until its address is printed; RuntimeError if it is not."""
        environment = {name: value for name, value in os.environ.items() if name not in TAKEN}
        environment |= {
            "NASWEB_HOME": str(self.home),
            "NASWEB_PORT": str(self.port),
            "NASWEB_WORKERS": "1",
            "DJANGO_SETTINGS_MODULE": "nasweb.settings",
            **self.settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if self.url not in line:
            self.process.kill()
            raise RuntimeError(f"the product did not start: {line!r}")

    def stop(self) -> None:
        """Stop the product as Ctrl-C does."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
