"""A small data set with labels enough for MOTE's reduced data, and the arms that studies make of ablations."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.searches.test_sources import zipped

LABELS, EACH = 12, 8
RD_ARMS = ["MOTE, RD", "MOTE, RD-RS", "MOTE, full data"]
RA_ARMS = ["MOTE, reduced network", "MOTE, full network"]
SEED_ARMS = [f"MOTE, seed {seed}" for seed in range(5)]


def many_labels() -> bytes:
    """A zip of 12 labels, told apart by their shade and a stripe."""
    rng = np.random.default_rng(0)
    files = {}
    for label in range(LABELS):
        for number in range(EACH + 1):
            pixels = rng.integers(0, 40, (8, 8), dtype=np.uint8) + 8 * label
            pixels[label % 8] += 60
            file = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8), "L").save(file, "PNG")
            files[f"{'train' if number < EACH else 'test'}/label {label:02}/{number}.png"] = file.getvalue()
    return zipped(files)
