"""Partial results of a long benchmark, so that it can continue where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.benchmarks.cells import home


class PartialResults:
    """Records by key, stored as one JSON line each in a file in ``NASWEB_HOME/bench/partial`` or in ``folder``.

    Each combination of benchmark and settings has its own file. If a crash cut off the line of a record, the record is
    ignored, so that it is measured again.
    """

    def __init__(self, benchmark: str, settings: Mapping[str, Any], folder: Path | None = None) -> None:
        digest = sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
        self.path = (folder or home() / "bench" / "partial") / f"{benchmark}-{digest}.jsonl"
        self.records: dict[str, dict[str, Any]] = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                self.records[record.pop("key")] = record

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Store one record; it is on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps({"key": key, **record}) + "\n")
        self.records[key] = dict(record)

    def forget(self) -> None:
        """Delete all records, so that the next run measures everything again."""
        self.path.unlink(missing_ok=True)
        self.records = {}
