"""NAS-Bench-101's record file: framing, check sums, protocol buffers, and the numbers of its cells."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from engine.blueprint import InputSpec
from engine.config.lookups import TabularOptions
from engine.config.spaces import NasBench101Options
from engine.errors import DataError, Stopped
from engine.estimators.table import TabularEstimator
from engine.registry import create_space
from engine.table import Table
from engine.tabular.convert import convert
from engine.tabular.tfrecord import fields, masked_crc, records
from tests.engine.official import record, training

CONV, POOL = "conv3x3-bn-relu", "maxpool3x3"
CHAIN = "0100001000010000", f"input,{CONV},{POOL},output"
WIDE = "0110000100010000", f"input,{POOL},{CONV},output"


def trainings() -> list[bytes]:
    return [
        training(*CHAIN, 108, (2000.0, 0.99, 0.9375, 0.9250)),
        training(*WIDE, 108, (1000.0, 0.95, 0.5, 0.25)),
        training(*CHAIN, 108, (3000.0, 1.0, 0.9125, 0.9000)),
        training(*CHAIN, 12, (300.0, 0.9, 0.75, 0.7)),
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nasbench_full.tfrecord"
    path.write_bytes(b"".join(map(record, trainings())))
    return path


def test_the_check_sum_is_the_published_one() -> None:
    # RFC 3720, B.4: CRC-32C of 32 zero bytes is 8a9136aa; TensorFlow rotates it by 15 bits and adds a constant.
    crc = 0x8A9136AA
    assert masked_crc(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_records_come_back_in_order(file: Path) -> None:
    assert list(records(file)) == trainings()


def test_cells_have_the_means_of_their_trainings(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "nasbench101.parquet"
    assert convert("nasbench101", file, target) == 2
    table = Table.open(target)
    assert table.archs == (f"{CONV},{POOL}:100/10/1", f"{CONV},{POOL}:110/01/1")  # in the space's order of vertices
    assert list(table.numbers("cifar10_valid_accuracy_108")) == [92.5, 50.0]
    assert list(table.numbers("cifar10_test_accuracy_108")) == pytest.approx([91.25, 25.0])
    assert list(table.numbers("cifar10_seconds_108")) == [2500.0, 1000.0]
    assert table.numbers("cifar10_valid_accuracy_12")[0] == 75.0
    assert str(table.numbers("cifar10_valid_accuracy_12")[1]) == "nan"
    assert list(table.numbers("cifar10_params_m")) == [1.0, 1.0]
    space = create_space(NasBench101Options(), InputSpec())
    estimator = TabularEstimator(TabularOptions(name="nasbench101", epochs=108), space, None, table)
    found = estimator.estimate_batch([space.from_string(arch) for arch in table.archs], seed=0)
    assert [(e.score, e.terms["truth"]) for e in found] == [(92.5, pytest.approx(91.25)), (50.0, 25.0)]


def test_reading_can_be_stopped(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        convert("nasbench101", file, tmp_path / "t.parquet", stop=lambda: True)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda c: c[:-3], "ends inside record 3"),
        (lambda c: c[:5], "ends inside record 0"),
        (lambda c: flipped(c, 3), "length of record 0 is damaged, or this is not a TFRecord file"),
        (lambda c: flipped(c, 40), "record 0 is damaged"),
        (lambda c: flipped(c, len(c) - 1), "record 3 is damaged"),
        (lambda _: b"", "contains no records"),
        (lambda _: record(b"{}"), "record 0 is not a record of NAS-Bench-101"),
        (lambda _: record(trainings()[0].replace(b'["', b'["0')), "hash does not belong to its cell"),
        (lambda _: record(trainings()[0].replace(b"maxpool", b"minpool")), "record 0 is not a record of NAS-Bench-101"),
    ],
)
def test_damage_is_said(file: Path, tmp_path: Path, damage: Any, words: str) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=words):
        convert("nasbench101", file, tmp_path / "t.parquet")


def test_protocol_buffers_are_read_and_refused_when_cut() -> None:
    message = b"\x08\x96\x01" + b"\x11" + struct.pack("<d", 2.5) + b"\x1a\x02hi" + b"\x25abcd"
    assert list(fields(message)) == [(1, 150), (2, 2.5), (3, b"hi")]
    for cut in (message[:1], message[:5], message[:13], b"\x1a\x05hi"):
        with pytest.raises(DataError, match="cut short"):
            list(fields(cut))
    with pytest.raises(DataError, match="unknown type"):
        list(fields(b"\x0b"))
