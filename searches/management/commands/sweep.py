"""``manage.py sweep``: finds lost work every few seconds, until a signal ends it."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from searches.services.sweeping import sweep

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """The sweeper, a process beside the workers. Several of them do no harm."""

    help = "Hands out again what lost workers or a lost broker left behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options: the interval between sweeps, or a single sweep."""
        parser.add_argument("--once", action="store_true", help="sweep once and end")
        parser.add_argument("--interval", type=float, default=5.0, help="seconds between two sweeps")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep until SIGTERM or SIGINT. Errors of the database or broker are logged; the next sweep tries again."""
        if options["once"]:
            sweep()
            return
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        while not ended.wait(options["interval"]):
            close_old_connections()
            try:
                sweep()
            except Exception:
                log.exception("the sweep failed; the next one follows in %g s", options["interval"])
