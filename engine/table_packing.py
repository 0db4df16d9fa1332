"""Files of tables as UTF-8 text or Parquet: packed files are unpacked, other text decoded, other formats refused."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

MOST_BYTES = 1_000_000_000
"""The largest size of an unpacked table in bytes; a packed file's own size says little."""
BLOCK = 1 << 20
ZIP = b"PK\x03\x04"
PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh91AY&SY": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""How files with these first bytes are opened for reading; a zip is opened by `_members`."""
TEXTS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by their byte-order mark; UTF-32 comes first because its mark begins like that of UTF-16."""
OTHERS = {
    ZIP: "a zip",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls); save the sheet as CSV",
    b"ARROW1\0": "an Arrow or Feather file; write it with to_parquet or to_csv",
    b"FEA1\0": "a Feather file; write it with to_parquet or to_csv",
    b"\x89HDF": "an HDF5 file; write its table as CSV or Parquet",
    b"SQLite format 3\0": "an SQLite database; export the table as CSV",
    b"\x93NUMPY": "a NumPy array; write it as CSV or Parquet",
    b"\x80\x04\x95": "a Python pickle; write it as CSV or Parquet",
    b"\x80\x05\x95": "a Python pickle; write it as CSV or Parquet",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; unpack it, or use gzip",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it, or use zip",
    b"%PDF": "a PDF document",
    b"<!DOCTYPE": "a web page, no table",
    b"<!doctype": "a web page, no table",
    b"<html": "a web page, no table",
    b"version https://git-lfs": "a pointer of Git LFS instead of the file itself; run git lfs pull",
}
"""What a file with these first bytes is, in words for the refusal."""


@contextmanager
def plain(path: Path, strict: bool = False) -> Iterator[Path]:
    """Yield the file itself, or a temporary one with its unpacked and decoded content.

    ValueError names a file that is neither Parquet nor text, and one that unpacks to more than `MOST_BYTES`. A text
    with NUL bytes is refused only if ``strict``.
    """
    with TemporaryDirectory() as folder:
        head = _head(path)
        if head.startswith(ZIP):
            path = _copied(_members(path), Path(folder) / "unpacked")
        elif opener := next((opener for sign, opener in PACKED.items() if head.startswith(sign)), None):
            path = _copied(_blocks(opener, path), Path(folder) / "unpacked")
        head = _head(path)
        _refuse(head)
        if encoding := _encoding(head, strict):
            path = _copied(_decoded(path, encoding), Path(folder) / "decoded")
        yield path


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _refuse(head: bytes) -> None:
    """Raise ValueError for a file that is known to be no table."""
    for sign, name in OTHERS.items():
        if head.startswith(sign):
            raise ValueError(f"it is {name}")
    if any(head.startswith(sign) for sign in PACKED):
        raise ValueError("it is compressed twice; unpack it once")
    if head[257:262] == b"ustar":
        raise ValueError("it is a tar archive; pack the table alone, as .csv.gz or .zip")


def _encoding(head: bytes, strict: bool) -> str | None:
    """Return the encoding of a text in UTF-16 or UTF-32; None for Parquet and all other texts.

    If ``strict``, ValueError for a text with NUL bytes in another encoding.
    """
    for mark, encoding in TEXTS.items():
        if head.startswith(mark):
            return encoding
    if head.startswith(b"PAR1") or b"\0" not in head:
        return None
    even = head[0::2]
    odd = head[1::2]
    if b"\0" not in even and odd.count(0) > len(odd) // 2:
        return "utf-16-le"
    if b"\0" not in odd and even.count(0) > len(even) // 2:
        return "utf-16-be"
    if strict:
        raise ValueError("it is not text, for it holds NUL bytes")
    return None


def _copied(blocks: Iterator[bytes], target: Path) -> Path:
    """Write the blocks into a file and return its path; ValueError for damaged and for huge content."""
    written = 0
    with target.open("xb") as sink:
        try:
            for block in blocks:
                written += len(block)
                if written > MOST_BYTES:
                    raise ValueError(f"it unpacks to more than {MOST_BYTES:,} bytes")
                sink.write(block)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, BadZipFile) as error:
            raise ValueError(f"its compressed content is damaged ({error})") from error
        except RuntimeError as error:  # how zipfile refuses locked files and unknown ways of packing
            raise ValueError(f"the zip cannot be unpacked ({error})") from error
    return target


def _blocks(opener: Callable[..., Any], path: Path) -> Iterator[bytes]:
    with opener(path, "rb") as file:
        while block := file.read(BLOCK):
            yield block


def _members(path: Path) -> Iterator[bytes]:
    """Yield the content of the only table in a zip."""
    with ZipFile(path) as archive, archive.open(_member(archive.infolist())) as file:
        while block := file.read(BLOCK):
            yield block


def _member(entries: list[ZipInfo]) -> ZipInfo:
    """Return a zip's only file, hidden files left out; ValueError names what else the zip is."""
    files = [entry for entry in entries if not entry.filename.endswith("/") and not _hidden(entry.filename)]
    names = [entry.filename for entry in files]
    if any(name.startswith("xl/") for name in names):
        raise ValueError("it is an Excel workbook (.xlsx); save the sheet as CSV")
    if "content.xml" in names:
        raise ValueError("it is an OpenDocument file (.ods); save the sheet as CSV")
    if len(files) != 1:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise ValueError(
            f"the zip holds {len(files)} files ({shown}) and must hold one table" if files else "its zip is empty"
        )
    if files[0].flag_bits & 1:
        raise ValueError("the zip is locked with a password; pack it without one")
    return files[0]


def _hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _decoded(path: Path, encoding: str) -> Iterator[bytes]:
    """Yield a text as UTF-8, without a byte-order mark."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(open, path):
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise ValueError(f"it is not text in {encoding.upper()}") from error
