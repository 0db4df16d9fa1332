"""Typed columns: the server packs what the scripts read (tests/scripts/binary.test.js)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from searches.api.binary import TYPES, pack

KNOWN = json.loads((Path(__file__).parents[1] / "scripts" / "columns.json").read_text(encoding="utf-8"))


def test_packing_gives_the_bytes_that_the_scripts_are_tested_with() -> None:
    dtypes = {name: dtype for dtype, name in TYPES.items()}
    arrays = {name: np.array(values, dtypes[kind]) for name, (kind, values) in KNOWN["arrays"].items()}
    assert {kind for kind, _ in KNOWN["arrays"].values()} == set(dtypes)
    assert pack(KNOWN["header"], arrays).hex() == KNOWN["bytes"]


def test_every_array_begins_at_a_multiple_of_eight_bytes() -> None:
    packed = pack({"a": 1}, {"odd": np.arange(3, dtype="|u1"), "even": np.arange(2, dtype="<f8")})
    length = int.from_bytes(packed[:4], "little")
    header = json.loads(packed[4 : 4 + length])
    assert [(4 + length + offset) % 8 for _, _, offset, _ in header["arrays"]] == [0, 0]
    assert [size for *_, size in header["arrays"]] == [3, 2]


def test_a_type_that_scripts_do_not_know_is_refused() -> None:
    with pytest.raises(KeyError):
        pack({}, {"wide": np.arange(3, dtype="<i8")})
