"""One service: its process group, its log, and its restarts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

LOG_LIMIT = 5_000_000  # bytes; a longer log is renamed at the next start
STEADY_SECONDS = 60.0  # a service that ran this long is restarted quickly again
LONGEST_DELAY = 30.0


@dataclass
class Service:
    """A command that runs until it is stopped."""

    name: str
    command: list[str]
    log: Path
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = 0.5  # seconds to the next restart
    restart_at: float | None = None

    def start(self) -> int:
        """Start the process in its own session, and so in its own process group; return the group."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started = time.monotonic()
        self.restart_at = None
        return self.process.pid

    def alive(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def plan_restart(self) -> str:
        """Kill what the dead process left behind, set the time of the next start, and return a message about it."""
        assert self.process is not None
        self.kill()
        now = time.monotonic()
        if now - self.started > STEADY_SECONDS:
            self.delay = 0.5
        self.restart_at = now + self.delay
        how = ending(self.process.returncode)
        words = self.last_words()
        message = f"{self.name} stopped ({how}); starting it again in {self.delay:g} s. {words}"
        self.delay = min(2 * self.delay, LONGEST_DELAY)
        return message

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the service's log, and the log's path."""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4000))
            words = file.read().decode(errors="replace").strip().splitlines()[-lines:]
        return "\n".join([f"The end of its log ({self.log}):", *(f"  {line}" for line in words)])

    def ask_to_stop(self) -> None:
        """Ask the process, but not its group, to stop: it stops its own children."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill everything that is left of the group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def ending(code: int) -> str:
    """Return an exit code in words."""
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
