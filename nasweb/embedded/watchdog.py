"""A script that kills the services when the supervisor has ended, even by SIGKILL; it uses only the standard library.

It reads the lines ``+GROUP`` and ``-GROUP``, for process groups that begin and end, from a pipe whose other end only
the supervisor holds.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable


def watch(lines: Iterable[str]) -> None:
    """Keep a list of groups until the pipe closes, then kill every group that is left on it."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin)
