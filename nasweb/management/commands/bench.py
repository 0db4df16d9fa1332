"""`manage.py bench`: runs all benchmarks or those named, and writes figures to ``NASWEB_HOME/bench`` or ``--out``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from engine.benchmarks.__main__ import BENCHMARKS as OF_THE_ENGINE
from nasweb.benchmarks.__main__ import BENCHMARKS as OF_THE_WEB

MODULES = dict.fromkeys(OF_THE_ENGINE, "engine.benchmarks") | dict.fromkeys(OF_THE_WEB, "nasweb.benchmarks")


class Command(BaseCommand):
    """Runs each benchmark in a separate process, so that one does not affect the times and memory of another."""

    help = "Runs benchmarks; writes a JSON file for each and one table of all figures."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MODULES)}; default: all")
        parser.add_argument("--quick", action="store_true", help="smoke runs")
        parser.add_argument("--json", action="store_true", help="print JSON objects only")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON object of one benchmark there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the benchmarks; after a failure the others still run, but the command fails at the end."""
        names = options["names"] or list(MODULES)
        if unknown := set(names) - set(MODULES):
            raise CommandError(f"Unknown benchmark {', '.join(sorted(unknown))}: choose from {', '.join(MODULES)}.")
        out: Path | None = options.get("out")
        if out is not None and len(names) != 1:
            raise CommandError(f"--out {out} holds one benchmark: name one of {', '.join(MODULES)}.")
        folder = settings.NASWEB_HOME / "bench"
        tables = []
        failed = []
        for name in names:
            file = folder / f"{name}.json" if out is None else out.absolute()
            command = [sys.executable, "-m", MODULES[name], name, "--out", str(file)]
            command += ["--quick"] if options["quick"] else []
            done = subprocess.run(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
            if done.returncode == 0:
                tables.append(done.stdout)
                self.stdout.write(file.read_text() if options.get("json") else done.stdout)
            else:
                failed.append(name)
        if out is None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "figures.md").write_text("\n".join(tables))
        self.stderr.write(f"Written to {out or folder}.")
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}.")
