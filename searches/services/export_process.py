"""The processes that write files (`engine.export`): one per thread, kept for the next job, replaced after a crash."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from searches.services.errors import ActionRefused

FAILED = "The file could not be made; see the server's log for the reason."
LONGEST_LOG = 1_000_000
log = logging.getLogger(__name__)
_own = threading.local()


def write(job: Mapping[str, Any], target: Path, tell: Callable[[Mapping[str, Any]], object]) -> dict[str, Any]:
    """Write the job's file and return its ``name`` and ``content_type``; ``tell`` is called with the progress.

    Raises ActionRefused with the reason if there is no file.
    """
    exporter: Exporter | None = getattr(_own, "exporter", None)
    answer = exporter.write(job, target, tell) if exporter is not None else None
    if answer is None:  # the process had ended while idle, or died: a new process tries
        _own.exporter = exporter = Exporter()
        answer = exporter.write(job, target, tell)
        if answer is None:
            exporter.explain()
            raise ActionRefused(FAILED)
    if "error" in answer:
        raise ActionRefused(f"This cannot be exported: {answer['error']}.")
    return answer


class Exporter:
    """One process and its pipes."""

    def __init__(self) -> None:
        self.words = Path(settings.NASWEB_HOME) / "exports" / "exporter.log"
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        mode = "ab" if self.words.is_file() and self.words.stat().st_size < LONGEST_LOG else "wb"
        with self.words.open(mode) as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine.export"],
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )

    def write(
        self, job: Mapping[str, Any], target: Path, tell: Callable[[Mapping[str, Any]], object]
    ) -> dict[str, Any] | None:
        """Run a job and return the last line of the answer, or None if the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"target": str(target), "job": job}) + "\n")
            self.process.stdin.flush()
        except OSError:
            self.process.wait()
            return None
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue  # a library may have printed this line
            answer: dict[str, Any] = json.loads(line)
            if "done" not in answer:
                return answer
            tell(answer)
        self.process.wait()
        return None

    def explain(self) -> None:
        """Log the end of the process's error output."""
        log.error("an export failed: %s", self.words.read_text(errors="replace")[-4000:])
