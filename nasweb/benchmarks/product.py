"""The real product in a process of its own: `manage.py up` with a home of its own on a free port."""

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
"""Environment that would make it another product."""


class Running:
    """Started once; `stop` and `start` again for what survives a restart. ``settings`` are environment variables."""

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = home
        self.settings = settings
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when the address is printed; RuntimeError when it is not."""
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
        """As Ctrl-C does."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
