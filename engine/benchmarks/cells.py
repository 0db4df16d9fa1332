"""NAS-Bench-201's cells with their true accuracies in a fixed random order, and the images for their estimates."""

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
"""Number of cells at the beginning of the order on which settings may be chosen; figures come from later cells."""


@dataclass(frozen=True)
class TruthCells:
    """Rows of the shared table, without the rows that lack the MOTE authors' values."""

    rows: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> TruthCells:
        """Return all cells in the fixed order."""
        frame = pd.read_parquet(path)
        known = frame[frame["mote_official"].notna()]
        return cls(known.sample(frac=1, random_state=ORDER_SEED).reset_index(drop=True))

    def tuned_on(self) -> TruthCells:
        """Return the cells on which settings may be chosen."""
        return TruthCells(self.rows.iloc[:TUNING_CELLS])

    def reported(self, count: int) -> TruthCells:
        """Return the first ``count`` cells on which no setting was chosen."""
        return TruthCells(self.rows.iloc[TUNING_CELLS : TUNING_CELLS + count].reset_index(drop=True))

    def named(self, archs: Sequence[str]) -> TruthCells:
        """Return the cells with the given names."""
        return TruthCells(self.rows[self.rows["arch"].isin(set(archs))].reset_index(drop=True))

    @cached_property
    def archs(self) -> list[str]:
        """Cell strings."""
        return list(self.rows["arch"])

    def column(self, name: str) -> Values:
        """Return a column of numbers."""
        return np.asarray(self.rows[name], dtype=np.float64)

    def truth(self, dataset: str) -> Values:
        """Return the test accuracy in percent after 200 epochs."""
        return self.column(f"{dataset}_test_acc_200")


def home() -> Path:
    """Return the folder of nasweb's files: ``NASWEB_HOME``, or the user's data folder."""
    return Path(os.environ.get("NASWEB_HOME") or user_data_dir("nasweb", appauthor=False)).expanduser()


def reduced_data(zip_path: Path) -> FolderData:
    """Return the MOTE authors' reduced data (ten labels of CIFAR-100); it is unpacked once below `home`."""
    folder = home() / "bench" / "data" / zip_path.stem
    if not folder.is_dir():
        unpack(zip_path, folder)
    return FolderData(UploadOptions(id=0), folder)
