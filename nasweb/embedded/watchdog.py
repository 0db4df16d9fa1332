"""Ends the services when the supervisor is gone, even by SIGKILL: run as a script, standard library only.

Reads ``+GROUP`` and ``-GROUP`` lines, process groups begun and ended, from a pipe whose other end only the supervisor
holds.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable


def watch(lines: Iterable[str]) -> None:
    """Keeps the list until the pipe closes, then kills every group still on it."""
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
