"""``python -m engine.benchmarks NAME [--json] [--out FILE] [--quick]``: measures and prints a table or JSON object."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.benchmarks.report import Report
from engine.errors import EngineError

BENCHMARKS: Mapping[str, str] = {
    "layernas-nb201": "engine.benchmarks.layernas_nb201",
    "layernas-chain": "engine.benchmarks.layernas_chain",
    "layernas-core": "engine.benchmarks.layernas_core",
    "layernas-anytime": "engine.benchmarks.layernas_anytime",
    "mote-exact": "engine.benchmarks.mote_exact",
    "mote-speed": "engine.benchmarks.mote_speed",
    "mote-early": "engine.benchmarks.mote_early",
    "mote-nas": "engine.benchmarks.mote_nas",
    "mote-correlation": "engine.benchmarks.mote_correlation",
    "proxies": "engine.benchmarks.proxies",
    "mobile-spaces": "engine.benchmarks.mobile_spaces",
}
"""Names of benchmarks and their modules; each module has ``run(quick) -> Report`` and is imported when needed."""

EXTRAS = {
    "curves": "a folder for curves as SVG and PNG (layernas-nb201, layernas-chain)",
    "table": "your own table with the columns arch, reward and cost, and truth if known (layernas-chain)",
    "space": "the chain of your table, as YAML (layernas-chain)",
}


def main(
    arguments: Sequence[str] | None = None,
    benchmarks: Mapping[str, str] = BENCHMARKS,
    program: str = "python -m engine.benchmarks",
) -> int:
    """Run a benchmark and return the exit code; missing data is not a failure."""
    parser = argparse.ArgumentParser(prog=program, description="Measure one benchmark.")
    parser.add_argument("name", choices=benchmarks)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON object there as well")
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    for name, help in EXTRAS.items():
        parser.add_argument(f"--{name}", type=Path, help=help)
    given = parser.parse_args(arguments)
    run: Callable[..., Report] = import_module(benchmarks[given.name]).run
    extras = {name: path for name in EXTRAS if (path := getattr(given, name)) is not None}
    if unknown := extras.keys() - signature(run).parameters:
        parser.error(f"{given.name} does not use --{', --'.join(sorted(unknown))}; leave it out")
    start = perf_counter()
    try:
        found = run(given.quick, **extras)
    except EngineError as error:
        parser.error(str(error))
    result = found.as_dict(given.name, perf_counter() - start)
    text = json.dumps(result, indent=2)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write((text if given.json else _table(result)) + "\n")
    return 0


def _table(result: Mapping[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    head = f"{result['benchmark']}: {result['seconds']} s, {json.dumps(result['settings'])}"
    if "skipped" in result:
        return f"{head}\nskipped: {result['skipped']}"
    rows = ["| figure | value | unit | goal | anchor |", "|---|---|---|---|---|"]
    for figure in result["figures"]:
        anchor = f"{figure['anchor']} ({figure['anchor_source']})" if "anchor" in figure else ""
        cells = (figure["name"], figure["value"], figure["unit"], figure.get("goal", ""), anchor)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([head, "", *rows])


if __name__ == "__main__":
    sys.exit(main())
