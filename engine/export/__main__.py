"""``python -m engine.export``: reads jobs as JSON lines ``{"target", "job"}`` and writes each to its target file.

It answers with JSON lines on standard output: ``{"done", "of"}`` while a job runs, and ``{"name", "content_type"}`` or
``{"error"}`` at its end. The process ends at the end of its input, or after `IDLE` seconds without a job.
"""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.export.job import run

POLITE = 5
"""The number added to the process's niceness, so that searches and pages have priority."""
IDLE = 90.0
"""Seconds without a job after which the process ends and frees its memory."""


def say(**line: Any) -> None:
    """Write one line to the waiting process."""
    print(json.dumps(line), flush=True)


def write(job: dict[str, Any], target: Path) -> None:
    """Run a job and write its file; the target appears only when it is complete."""
    try:
        file = run(job, lambda done, of: say(done=done, of=of))
    except EngineError as error:
        say(error=str(error))
        return
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_bytes(file.data)
    unfinished.replace(target)
    say(name=file.name, content_type=file.content_type)


def main() -> None:
    """Run jobs until the input ends."""
    os.nice(POLITE)
    while select.select([sys.stdin], [], [], IDLE)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        given = json.loads(line)
        write(given["job"], Path(given["target"]))


if __name__ == "__main__":
    main()
