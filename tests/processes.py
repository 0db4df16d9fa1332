"""Real nasweb processes for tests: `manage.py up` on a home and port of its own."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

Value = TypeVar("Value")
ROOT = Path(__file__).resolve().parent.parent
TAKEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "NASWEB_HOST", "NASWEB_TEST_SERVERS")


def free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Value], seconds: float = 30.0, pause: float = 0.1) -> Value:
    """Return the condition's value once it is true, asked every `pause` seconds; AssertionError if it stays false."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(pause)
    return found


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return this process's environment without nasweb's own variables, plus the given variables."""
    kept = {name: value for name, value in os.environ.items() if name not in TAKEN}
    return {**kept, "DJANGO_SETTINGS_MODULE": "nasweb.settings", "NASWEB_HOME": str(home), **variables}


def manage(variables: Mapping[str, str], *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run one management command to its end."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=dict(variables), capture_output=True, text=True, timeout=timeout)


@dataclass
class Nasweb:
    """A running `manage.py up`."""

    process: subprocess.Popen[str]
    url: str
    errors: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Send one request to the web server."""
        return httpx.get(self.url.rstrip("/") + path, headers=headers, timeout=20)

    def healthy(self) -> bool:
        """Whether the web server answers."""
        try:
            return self.get("/healthz/").status_code == 200
        except httpx.TransportError:
            return False

    def create(self, config: Mapping[str, object]) -> int:
        """Create a search and return its number."""
        response = httpx.post(f"{self.url}api/v1/searches/", json=config, timeout=60)
        assert response.status_code == 201, response.text
        return int(response.json()["id"])

    def search(self, number: int) -> dict[str, object]:
        """Return the search as the API shows it."""
        return dict(self.get(f"/api/v1/searches/{number}/").json())

    def outcomes(self, number: int) -> list[tuple[str, ...]]:
        """Return the search's proposals and results, by candidate."""
        table = csv.DictReader(self.get(f"/api/v1/searches/{number}/export/?format=csv").text.splitlines())
        return [(row["number"], row["arch"], row["layer"], row["parent_number"], row["score"]) for row in table]

    def services(self) -> dict[str, psutil.Process]:
        """Return the services by name, including the watchdog."""
        marks = {
            "broker": "valkey-server",
            "web": "uvicorn",
            "worker": "celery",
            "sweep": "sweep",
            "watchdog": "watchdog.py",
        }
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                words = " ".join(child.cmdline())
                found |= {name: child for name, mark in marks.items() if mark in words}
        return found

    def family(self) -> list[psutil.Process]:
        """Return every process it started, and all their children."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> int:
        """Send Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@contextmanager
def running(home: Path, **variables: str) -> Iterator[Nasweb]:
    """Start nasweb, wait for its address, and stop it at the end."""
    home.parent.mkdir(parents=True, exist_ok=True)
    errors = home.parent / f"{home.name}.errors"
    variables = {"NASWEB_PORT": str(free_port()), "NASWEB_WORKERS": "2", **variables}
    with errors.open("a") as stderr:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment(home, **variables),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, f"no address: {line!r}, {errors.read_text()}"
        yield Nasweb(process, next(word for word in line.split() if word.startswith("http")), errors)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
