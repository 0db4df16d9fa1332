"""``python -m nasweb.benchmarks NAME [--json] [--out FILE] [--quick]``: as `engine.benchmarks`, with the web stack.

Each runs on a throw-away home with SQLite and the bundled broker.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Mapping

from engine.benchmarks.__main__ import main
from nasweb.benchmarks.product import TAKEN

BENCHMARKS: Mapping[str, str] = {
    "browser": "nasweb.benchmarks.browser",
    "chaos": "nasweb.benchmarks.chaos",
}
"""Name -> module with ``run(quick) -> Report``."""


def prepare(home: str) -> None:
    """Django on a home of its own, with an empty database."""
    for name in TAKEN:
        os.environ.pop(name, None)
    os.environ |= {"NASWEB_HOME": home, "DJANGO_SETTINGS_MODULE": "nasweb.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.WARNING)  # the broker is away until the product is started
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="nasweb-bench-") as folder:
        prepare(folder)
        sys.exit(main(benchmarks=BENCHMARKS, program="python -m nasweb.benchmarks"))
