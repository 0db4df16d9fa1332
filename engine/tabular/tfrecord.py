"""Reading of TensorFlow's record files and protocol buffers, as far as benchmark files need it, without TensorFlow.

A record consists of its length (8 bytes, little-endian), the masked CRC-32C of the length (4 bytes), the data, and the
masked CRC-32C of the data (4 bytes). The mask rotates by 15 bits and adds a constant.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from google_crc32c import value as crc32c

from engine.errors import DataError

LONGEST = 10_000_000
"""The largest record in bytes; a greater length means that the file is damaged."""
MASK = 0xA282EAD8
Field = tuple[int, int | float | bytes]
"""The number of a field, and its value: integer, double or bytes."""


def records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file in order; DataError names the first record that is damaged or incomplete."""
    try:
        with path.open("rb") as file:
            number = 0
            while (record := _record(file, path.name, number)) is not None:
                yield record
                number += 1
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be read: {error.strerror}.") from error


def masked_crc(data: bytes) -> int:
    """Return the check sum that record files store."""
    crc = int(crc32c(data))
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def fields(message: bytes) -> Iterator[Field]:
    """Yield the fields of a protocol buffer: varints as integers, 64-bit values as doubles, other values as bytes.

    Values of 32 bits are skipped. Raises DataError if the message is malformed.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        match key & 7:
            case 0:
                value, place = _varint(message, place)
                yield key >> 3, value
            case 1:
                yield key >> 3, struct.unpack("<d", _bytes(message, place, 8))[0]
                place += 8
            case 2:
                length, place = _varint(message, place)
                yield key >> 3, _bytes(message, place, length)
                place += length
            case 5:
                _bytes(message, place, 4)
                place += 4
            case kind:
                raise DataError(f"a message has a field of the unknown type {kind}")


def _record(file: BinaryIO, name: str, number: int) -> bytes | None:
    head = file.read(12)
    if not head:
        return None
    if len(head) < 12:
        raise DataError(f"'{name}' ends inside record {number}; it is not complete, fetch it again.")
    length, check = struct.unpack("<QI", head)
    if masked_crc(head[:8]) != check or length > LONGEST:
        raise DataError(f"'{name}': the length of record {number} is damaged, or this is not a TFRecord file.")
    data = file.read(length + 4)
    if len(data) < length + 4:
        raise DataError(f"'{name}' ends inside record {number}; it is not complete, fetch it again.")
    if masked_crc(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise DataError(f"'{name}': record {number} is damaged; fetch the file again.")
    return data[:-4]


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    raise DataError("a message is cut short")


def _bytes(message: bytes, place: int, length: int) -> bytes:
    if place + length > len(message):
        raise DataError("a message is cut short")
    return message[place : place + length]
