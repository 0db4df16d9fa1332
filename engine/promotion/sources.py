"""Where a full training's images come from: memory, or files that are decoded while the network learns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from engine.datasets.base import FileSplit, ImageData
from engine.datasets.images import read_square
from engine.training import ImageSet

AHEAD = 2
"""Batches that are decoded ahead of the one that is learnt from."""
DECODERS = 4
"""Threads that decode; Pillow lets go of the interpreter while it does."""
Batch = tuple[Tensor, Tensor]


class Source(Protocol):
    """Images by row number."""

    def __len__(self) -> int:
        """Number of images."""

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """Inputs ``(B, C, H, W)`` (pixels / 255, float32) and labels ``(B,)`` of every entry of ``rows``, in order."""


class Memory:
    """A split that is held on the device."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch after the other."""
        return map(self.images.batch, rows)


class Files:
    """A split of files, decoded a few batches ahead and never held as a whole."""

    def __init__(self, split: FileSplit, device: torch.device) -> None:
        self.split = split
        self.device = device

    def __len__(self) -> int:
        return len(self.split.labels)

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """DataError names a file that cannot be decoded."""
        waiting: deque[tuple[list[Future[Tensor]], Tensor]] = deque()
        with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
            try:
                for numbers in rows:
                    waiting.append(([pool.submit(self._image, int(row)) for row in numbers], self._labels(numbers)))
                    if len(waiting) > AHEAD:
                        yield self._batch(*waiting.popleft())
                while waiting:
                    yield self._batch(*waiting.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _image(self, row: int) -> Tensor:
        split = self.split
        return torch.from_numpy(read_square(split.paths[row], split.channels, split.resolution, split.fit).copy())

    def _labels(self, rows: Tensor) -> Tensor:
        return torch.from_numpy(self.split.labels[rows.numpy()]).to(self.device)

    def _batch(self, images: list[Future[Tensor]], labels: Tensor) -> Batch:
        pixels = torch.stack([image.result() for image in images]).to(self.device)
        inputs = pixels.to(torch.float32).mul_(1 / 255)
        return inputs.contiguous(memory_format=torch.channels_last), labels


def sources_of(data: ImageData, device: torch.device) -> tuple[Source, Source, Source]:
    """Training, validation and test images; files are streamed where the data is kept as files."""
    files = data.files()
    if files is not None:
        return Files(files.train, device), Files(files.valid, device), Files(files.test, device)
    splits = data.load()
    train, valid, test = (Memory(ImageSet.of(split, device)) for split in (splits.train, splits.valid, splits.test))
    return train, valid, test
