"""NAS-Bench-201's cells with their true accuracies in a fixed random order, and the images they are estimated on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from platformdirs import user_data_dir

from engine.config.datasets import UploadOptions
from engine.correlation import Values
from engine.datasets.archive import unpack
from engine.datasets.folders import FolderData

DATASETS = ("cifar10", "cifar100", "imagenet16_120")
ORDER_SEED = 1
TUNING_CELLS = 400
"""The first cells of the order: settings may be chosen on them, figures come from later ones."""


@dataclass(frozen=True)
class TruthCells:
    """Rows of the shared table, those without the MOTE authors' values left out."""

    rows: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> TruthCells:
        """All cells in the fixed order."""
        frame = pd.read_parquet(path)
        known = frame[frame["mote_official"].notna()]
        return cls(known.sample(frac=1, random_state=ORDER_SEED).reset_index(drop=True))

    def tuned_on(self) -> TruthCells:
        """The cells that settings may be chosen on."""
        return TruthCells(self.rows.iloc[:TUNING_CELLS])

    def reported(self, count: int) -> TruthCells:
        """The first ``count`` cells that nothing was chosen on."""
        return TruthCells(self.rows.iloc[TUNING_CELLS : TUNING_CELLS + count].reset_index(drop=True))

    def named(self, archs: Sequence[str]) -> TruthCells:
        """Those of the cells that are named."""
        return TruthCells(self.rows[self.rows["arch"].isin(set(archs))].reset_index(drop=True))

    @cached_property
    def archs(self) -> list[str]:
        """Cell strings."""
        return list(self.rows["arch"])

    def column(self, name: str) -> Values:
        """A column of numbers."""
        return np.asarray(self.rows[name], dtype=np.float64)

    def truth(self, dataset: str) -> Values:
        """Test accuracy in percent after 200 epochs."""
        return self.column(f"{dataset}_test_acc_200")


def home() -> Path:
    """Where nasweb keeps its files: ``NASWEB_HOME``, or the user's data folder."""
    return Path(os.environ.get("NASWEB_HOME") or user_data_dir("nasweb", appauthor=False)).expanduser()


def reduced_data(zip_path: Path) -> FolderData:
    """The MOTE authors' reduced data (ten labels of CIFAR-100), unpacked once below `home`."""
    folder = home() / "bench" / "data" / zip_path.stem
    if not folder.is_dir():
        unpack(zip_path, folder)
    return FolderData(UploadOptions(id=0), folder)
