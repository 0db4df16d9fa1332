"""``python -m nasweb.benchmarks NAME [--json] [--out FILE] [--quick]``: like `engine.benchmarks`, with the web stack.

Each benchmark runs in a temporary home with SQLite and the bundled broker.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_dir

from engine.benchmarks.__main__ import main
from nasweb.benchmarks.product import TAKEN

BENCHMARKS: Mapping[str, str] = {
    "browser": "nasweb.benchmarks.browser",
    "chaos": "nasweb.benchmarks.chaos",
    "orchestration": "nasweb.benchmarks.orchestration",
    "scale": "nasweb.benchmarks.scale",
}
"""Names of benchmarks and their modules; each module has ``run(quick) -> Report``."""


KEPT = "NASWEB_BENCH_KEPT"


def kept_results() -> Path:
    """Return the folder for partial results of long benchmarks, in the home of the user who runs them."""
    return Path(os.environ[KEPT])


def prepare(home: str, servers: Mapping[str, str] | None = None) -> None:
    """Set up Django in the given home, with an empty database; ``servers`` are settings for other than SQLite."""
    own = Path(os.environ.get("NASWEB_HOME") or user_data_dir("nasweb", appauthor=False))
    os.environ.setdefault(KEPT, str(own / "bench" / "partial"))
    for name in TAKEN:
        os.environ.pop(name, None)
    os.environ |= {"NASWEB_HOME": home, "DJANGO_SETTINGS_MODULE": "nasweb.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
    os.environ |= servers or {}

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.WARNING)  # the broker does not answer until the product is started
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="nasweb-bench-") as folder:
        prepare(folder)
        sys.exit(main(benchmarks=BENCHMARKS, program="python -m nasweb.benchmarks"))
