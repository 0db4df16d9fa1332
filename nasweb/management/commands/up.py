"""`manage.py up`: runs everything that nasweb needs on this machine, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from nasweb.embedded.errors import StartFailed, StartRefused
from nasweb.embedded.supervisor import Supervisor


class Command(BaseCommand):
    """Runs the supervisor. Exit code 2 means that nothing was started, and 1 that a service did not start."""

    help = "Runs nasweb on this machine: broker, database, web server, workers. Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        def tell(line: str) -> None:
            self.stdout.write(line)
            self.stdout.flush()

        try:
            Supervisor(tell=tell, warn=self.stderr.write).run()
        except (StartRefused, StartFailed) as error:
            self.stderr.write(str(error))
            sys.exit(2 if isinstance(error, StartRefused) else 1)
        except KeyboardInterrupt:  # the supervisor did not handle signals yet, and nothing was started
            sys.exit(130)
