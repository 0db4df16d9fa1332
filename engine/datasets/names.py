"""The names of the files in a zip, which may be UTF-8 without saying so."""

from __future__ import annotations

import struct
import zipfile
import zlib

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075
"""Number of Info-ZIP's extra field that holds a name in UTF-8 (APPNOTE.TXT 4.6.9)."""


def name_of(member: zipfile.ZipInfo) -> str:
    """Return the name of a file in a zip.

    Python reads names without the flag for UTF-8 as code page 437. Many programs write UTF-8 without the flag, so a
    name whose bytes are valid UTF-8 is read as such; text in code page 437 almost never is. An extra field with the
    name in UTF-8 comes first. Names that are neither stay as Python reads them.
    """
    name = member.filename
    if member.flag_bits & UTF8_FLAG:
        return name
    try:
        stored = member.orig_filename.encode("cp437")
        found = _unicode_path(member.extra, stored) or stored.decode("utf-8")
    except UnicodeError:
        return name
    return found.split("\0")[0]


def _unicode_path(extra: bytes, stored: bytes) -> str | None:
    """Return the name in the extra field; None if there is none, or if the file was renamed after it was written."""
    while len(extra) >= 4:
        number, size = struct.unpack("<HH", extra[:4])
        content = extra[4 : 4 + size]
        if number == UNICODE_PATH and len(content) > 5:
            version, checksum = struct.unpack("<BL", content[:5])
            if version == 1 and checksum == zlib.crc32(stored):
                return content[5:].decode("utf-8")
        extra = extra[4 + size :]
    return None
