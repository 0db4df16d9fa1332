"""``python -m engine.export``: jobs as JSON lines ``{"target", "job"}`` on standard input, each written to its file.

Standard output carries JSON lines: ``{"done", "of"}`` while a job runs, at its end ``{"name", "content_type"}`` or
``{"error"}``. The process ends with its input, or when nothing came for `IDLE` seconds.
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
"""Added to the process's niceness: searches and pages go first."""
IDLE = 90.0
"""Seconds after which the memory is given back."""


def say(**line: Any) -> None:
    """One line to the process that waits."""
    print(json.dumps(line), flush=True)


def write(job: dict[str, Any], target: Path) -> None:
    """The file appears complete or not at all."""
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
    """Until the input ends."""
    os.nice(POLITE)
    while select.select([sys.stdin], [], [], IDLE)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        given = json.loads(line)
        write(given["job"], Path(given["target"]))


if __name__ == "__main__":
    main()
