"""The processes that write files (`engine.export`): one a thread, kept warm for the next job, replaced when it died."""

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

FAILED = "The file could not be made; the server's log says why."
LONGEST_LOG = 1_000_000
log = logging.getLogger(__name__)
_own = threading.local()


def write(job: Mapping[str, Any], target: Path, tell: Callable[[Mapping[str, Any]], object]) -> dict[str, Any]:
    """Writes the job's file and returns its ``name`` and ``content_type``; ``tell`` hears how far it is.

    ActionRefused says why there is no file.
    """
    exporter: Exporter | None = getattr(_own, "exporter", None)
    answer = exporter.write(job, target, tell) if exporter is not None else None
    if answer is None:  # it had nothing to do and ended, or died: the next one tries
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
        """The last line of the answer; None when the process is gone."""
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
                continue  # libraries may print
            answer: dict[str, Any] = json.loads(line)
            if "done" not in answer:
                return answer
            tell(answer)
        self.process.wait()
        return None

    def explain(self) -> None:
        """Logs the process's last words."""
        log.error("an export failed: %s", self.words.read_text(errors="replace")[-4000:])
