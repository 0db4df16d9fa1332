"""Reading of image files: sizes, orientation, and digests that change with the decoded pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from engine.config.datasets import FoldersOptions, UploadOptions
from engine.datasets import folders, trees
from engine.datasets.folders import FolderData
from engine.datasets.images import CheckedImage, check_image, read_part, read_square
from engine.datasets.trees import TreeData
from tests.engine.pictures import class_files, write_folder


def photo(path: Path, orientation: int) -> Path:
    """Write a photo of 96x64 stored pixels that is red at its left end."""
    pixels = np.zeros((64, 96, 3), dtype=np.uint8)
    pixels[:, :32, 0] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(pixels).save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {}))
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_their_exif_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = photo(tmp_path / f"a.{suffix}", orientation)
    with Image.open(path) as image:
        seen = ImageOps.exif_transpose(image).convert("RGB")
    assert check_image(path, "a") == CheckedImage(seen.size, grey=False)
    for resolution in (8, 60):  # JPEG decodes the first at an eighth or a half of its size
        wanted = np.asarray(seen.resize((resolution, resolution), Image.Resampling.BOX), dtype=int).transpose(2, 0, 1)
        found = read_square(path, 3, resolution, "resize").astype(int)
        assert np.abs(found - wanted).mean() < 12, resolution
    upper_left = seen.crop((0, 0, 32, 32)).resize((8, 8), Image.Resampling.BOX)
    sizes = []

    def chosen(width: int, height: int) -> tuple[float, float, float, float]:
        sizes.append((width, height))
        return 0, 0, 32, 32

    part = read_part(path, 3, 8, chosen).astype(int)
    assert sizes == [seen.size]
    assert np.abs(part - np.asarray(upper_left, dtype=int).transpose(2, 0, 1)).mean() < 12


def test_broken_exif_keeps_no_image_from_being_used(tmp_path: Path) -> None:
    for number, exif in enumerate((b"Exif\0\0nonsense", b"Exif\0\0MM\0*", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")):
        path = tmp_path / f"{number}.jpg"
        Image.new("RGB", (96, 64)).save(path, exif=exif)
        assert check_image(path, "a") == CheckedImage((96, 64), grey=False)
        assert read_square(path, 3, 8, "crop").shape == (3, 8, 8)


def test_what_was_decoded_otherwise_is_not_taken_for_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, class_files())

    def hashes() -> set[str]:
        upload = UploadOptions(id=1)
        tree = FoldersOptions(path=str(tmp_path))
        return {FolderData(upload, tmp_path).info.content_hash, TreeData(tree, tmp_path).info.content_hash}

    before = hashes()
    for module in (folders, trees):
        monkeypatch.setattr(module, "DECODING", "otherwise")
    assert not before & hashes()
