"""Deep grey images are scaled by the bits that their files state, or refused by name."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from engine.config.datasets import FoldersOptions, UploadOptions
from engine.datasets.archive import unpack
from engine.datasets.failures import ImageError
from engine.datasets.folders import FolderData
from engine.datasets.images import check_image, read_part, read_square
from engine.datasets.summary import MANIFEST, read_summary
from engine.datasets.trees import TreeData
from engine.errors import DataError
from tests.engine.pictures import class_files, write_folder, write_zip

RAMP = np.linspace(0, 1, 64).reshape(8, 8)
"""Shares of white, from black to white."""
WANTED = np.round(RAMP * 255)


def tiff(
    data: bytes,
    order: str = "<",
    bits: int = 16,
    kind: int = 1,
    *,
    photometric: int = 1,
    packed: bool = False,
    turn: int = 1,
) -> bytes:
    """Return a grey TIFF of 8x8 pixels; ``kind`` is 1 for whole numbers, 2 for signed ones, 3 for floating-point."""
    strip = zlib.compress(data) if packed else data
    entries = [
        (256, 3, 8), (257, 3, 8), (258, 3, bits), (259, 3, 8 if packed else 1), (262, 3, photometric), (273, 4, 8),
        (274, 3, turn), (277, 3, 1), (278, 3, 8), (279, 4, len(strip)), (339, 3, kind),
    ]  # fmt: skip
    body = b"".join(
        struct.pack(f"{order}HHI", tag, field, 1) + struct.pack(f"{order}{'H2x' if field == 3 else 'I'}", value)
        for tag, field, value in entries
    )
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(strip))
    return header + strip + struct.pack(f"{order}H", len(entries)) + body + struct.pack(f"{order}I", 0)


def numbers(white: int, kind: str) -> bytes:
    return np.round(RAMP * white).astype(kind).tobytes()


def twelve() -> bytes:
    """Return the ramp in 12 bits a pixel."""
    values = np.round(RAMP * 4095).astype(int).ravel()
    return b"".join(bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255)) for a, b in values.reshape(-1, 2))


def saved(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def pgm(white: int, share: float = 1) -> bytes:
    return b"P5 8 8 %d\n" % white + numbers(round(white * share), ">u2" if white > 255 else "u1")


SIXTEEN = Image.fromarray(np.round(RAMP * 65535).astype(np.uint16))
READ = {
    "little.tif": tiff(numbers(65535, "<u2")),
    "big.tif": tiff(numbers(65535, ">u2"), ">"),
    "big packed.tif": tiff(numbers(65535, ">u2"), ">", packed=True),
    "little packed.tif": tiff(numbers(65535, "<u2"), packed=True),
    "twelve.tif": tiff(twelve(), bits=12),
    "white is 0.tif": tiff((65535 - np.round(RAMP * 65535)).astype("<u2").tobytes(), photometric=0),
    "signed.tif": tiff(numbers(32767, "<i2"), kind=2),
    "signed big.tif": tiff(numbers(32767, ">i2"), ">", kind=2),
    "sixteen.png": saved(SIXTEEN, "PNG"),
    "sixteen.jp2": saved(SIXTEEN, "JPEG2000"),
    "sixteen.pgm": pgm(65535),
    "twelve.pgm": pgm(4095),
    "eight.pgm": pgm(255),
    "share.tif": tiff(RAMP.astype("<f4").tobytes(), bits=32, kind=3),
    "share big.tif": tiff(RAMP.astype(">f4").tobytes(), ">", bits=32, kind=3),
    "float.tif": tiff((RAMP * 255).astype("<f4").tobytes(), bits=32, kind=3),
}


@pytest.mark.parametrize("name", READ)
def test_deep_images_are_scaled_by_their_bits(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(READ[name])
    assert check_image(path, name).grey
    for channels in (1, 3):
        found = read_square(path, channels, 8, "resize").astype(int)
        assert found.shape == (channels, 8, 8)
        assert np.abs(found - WANTED).max() <= 1
        assert np.abs(read_part(path, channels, 8, lambda width, height: (0, 0, width, height)) - WANTED).max() <= 1


@pytest.mark.parametrize("share", [0.002, 0.1, 0.5])
def test_a_dark_file_stays_dark(tmp_path: Path, share: float) -> None:
    """One scene is equally bright beside brighter ones and alone; 0.002 of 16 bits is below 255."""
    files = {
        "a.png": saved(Image.fromarray(np.round(RAMP * 65535 * share).astype(np.uint16)), "PNG"),
        "a.tif": tiff(numbers(round(65535 * share), "<u2")),
        "b.tif": tiff(numbers(round(65535 * share), ">u2"), ">"),
        "s.tif": tiff(numbers(round(32767 * share), "<i2"), kind=2),
        "a.pgm": pgm(65535, share),
        "b.pgm": pgm(4095, share),
    }
    for name in files:
        found = read_square(write_folder(tmp_path, files) / name, 1, 8, "resize").astype(int)
        assert np.abs(found - RAMP * 255 * share).max() <= 1, name


@pytest.mark.parametrize("order", "<>")
def test_deep_images_are_turned(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(numbers(65535, f"{order}u2"), order, turn=6))
    assert np.abs(read_square(path, 1, 8, "resize")[0].astype(int) - np.rot90(WANTED, -1)).max() <= 1
    image = Image.frombytes("I;16B", (8, 8), numbers(65535, ">u2"))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    image.save(tmp_path / "b.tif", exif=exif)
    assert np.abs(read_square(tmp_path / "b.tif", 1, 8, "resize")[0].astype(int) - WANTED[::-1, ::-1]).max() <= 1


def floating(value: float) -> bytes:
    shares = RAMP.astype("<f4")
    shares[3, 3] = value
    return tiff(shares.tobytes(), bits=32, kind=3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (floating(np.nan), r"a\.tif has 1 pixels that are no numbers \(NaN or infinite\); fill them"),
        (floating(-np.inf), "no numbers"),
        (floating(40_000), r"floating-point values up to 40,000, which state no brightness; scale it"),
        (
            tiff(numbers(2**30, "<i4"), bits=32, kind=2),
            r"a\.tif has whole numbers of 32 bits, .*; save it with 8 or 16",
        ),
        (tiff(numbers(200, "<u4"), bits=32), "whole numbers of 32 bits"),
        (tiff(RAMP.astype("<f8").tobytes(), bits=64, kind=3), r"a\.tif is not a readable image"),
    ],
)
def test_what_states_no_scale_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    for read in (lambda: check_image(path, "a.tif"), lambda: read_square(path, 1, 8, "crop")):
        with pytest.raises(ImageError, match=words):
            read()
    files = {**class_files(), "train/a/a.tif": content}
    with pytest.raises(DataError, match=words):
        unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "data")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_other_mode_is_read(tmp_path: Path, mode: str, channels: int) -> None:
    colour = Image.new("RGB", (8, 8), (200, 30, 30))
    image = Image.new(mode, (8, 8)) if mode == "LAB" else colour.convert(mode)
    path = tmp_path / "a.tif"
    image.save(path)
    with Image.open(path) as found:
        assert found.mode == mode
    assert read_square(path, channels, 8, "resize").shape == (channels, 8, 8)
    if channels == 3 and mode not in ("1", "L", "LA", "LAB"):
        assert np.abs(read_square(path, 3, 8, "resize").mean((1, 2)) - (200, 30, 30)).max() < 5


def deep_files(share: float, kind: str = "<u2") -> dict[str, bytes]:
    content = tiff(numbers(round(65535 * share), kind), kind[0])
    return {f"train/{name}/{index}.tif": content for name in "ab" for index in range(3)}


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        (class_files(), False),
        (deep_files(1), False),
        (deep_files(0.002), True),
        (deep_files(1, ">u2"), True),
        (class_files() | {"train/a/9.pgm": pgm(65535, 0.002)}, True),
    ],
)
def test_only_images_that_change_get_a_new_digest(tmp_path: Path, files: dict[str, bytes], changed: bool) -> None:
    """Earlier builds made the digest without `rescaled`, and their summaries do not have it."""
    summary = unpack(write_zip(tmp_path / "up.zip", files), tmp_path / "data")
    assert summary.rescaled == changed
    manifest = tmp_path / "data" / MANIFEST
    stored = json.loads(manifest.read_text())
    new = FolderData(UploadOptions(id=1), tmp_path / "data").info.content_hash
    manifest.write_text(json.dumps({**stored, "rescaled": False}))
    old = FolderData(UploadOptions(id=1), tmp_path / "data").info.content_hash
    assert (new != old) == changed
    del stored["rescaled"]
    manifest.write_text(json.dumps(stored))
    assert read_summary(tmp_path / "data") == summary
    assert json.loads(manifest.read_text())["rescaled"] == changed, "it is found once"


def test_folders_of_this_machine_with_deep_images_get_a_new_digest(tmp_path: Path) -> None:
    shallow = {name: saved(Image.new("L", (8, 8)), "TIFF") for name in deep_files(1)}
    hashes = []
    for place, files in (("deep", deep_files(1, ">u2")), ("shallow", shallow)):
        data = TreeData(FoldersOptions(path=str(write_folder(tmp_path / place, files))), tmp_path)
        assert data.info.spec.channels == 1
        hashes.append(data.info.content_hash)
    assert hashes[0] != hashes[1], "names are the same, so the digest of names is"
