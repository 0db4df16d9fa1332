"""Sources of a full training's images: memory, or files that are decoded during the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from engine.datasets.base import FileSplit, ImageData
from engine.full_training.views import View, centre, random_part, whole
from engine.training import ImageSet

AHEAD = 2
"""Number of batches that are decoded in advance."""
DECODERS = 4
"""Number of decoding threads; Pillow releases the interpreter's lock while it decodes."""
Batch = tuple[Tensor, Tensor]


class ImageSource(Protocol):
    """Images by row number."""

    def __len__(self) -> int:
        """Number of images."""

    def batches(self, rows: Iterable[Tensor], key: Sequence[int] = ()) -> Iterator[Batch]:
        """Yield inputs ``(B, C, H, W)`` (pixels / 255, float32), labels ``(B,)`` for each entry of ``rows``, in order.

        Random parts of images depend on ``key`` and on their rows.
        """


class Memory:
    """A split that is held on the device."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, rows: Iterable[Tensor], key: Sequence[int] = ()) -> Iterator[Batch]:
        """Yield the batches."""
        return map(self.images.batch, rows)


class Files:
    """A split of files, decoded a few batches in advance; the whole split is never in memory."""

    def __init__(self, split: FileSplit, device: torch.device, view: View = whole) -> None:
        self.split = split
        self.device = device
        self.view = view

    def __len__(self) -> int:
        return len(self.split.labels)

    def batches(self, rows: Iterable[Tensor], key: Sequence[int] = ()) -> Iterator[Batch]:
        """Yield the batches; DataError names a file that cannot be decoded."""
        waiting: deque[tuple[list[Future[Tensor]], Tensor]] = deque()
        with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
            try:
                for numbers in rows:
                    images = [pool.submit(self._image, int(row), key) for row in numbers]
                    waiting.append((images, self._labels(numbers)))
                    if len(waiting) > AHEAD:
                        yield self._batch(*waiting.popleft())
                while waiting:
                    yield self._batch(*waiting.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _image(self, row: int, key: Sequence[int]) -> Tensor:
        return torch.from_numpy(self.view(self.split, row, key).copy())

    def _labels(self, rows: Tensor) -> Tensor:
        return self._moved(torch.from_numpy(self.split.labels[rows.numpy()]))

    def _batch(self, images: list[Future[Tensor]], labels: Tensor) -> Batch:
        pixels = self._moved(torch.stack([image.result() for image in images]))
        inputs = pixels.to(torch.float32).mul_(1 / 255)
        return inputs.contiguous(memory_format=torch.channels_last), labels

    def _moved(self, tensor: Tensor) -> Tensor:
        """Return the tensor on the device; for CUDA it is copied from pinned memory while the device computes."""
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor


def sources_of(
    data: ImageData, device: torch.device, parts: bool = False
) -> tuple[ImageSource, ImageSource, ImageSource]:
    """Return the sources of training, validation and test images; data kept as files is streamed.

    With ``parts``, training uses random parts of the files' images, and validation and test use their centres.
    """
    files = data.files()
    if files is not None:
        learned, judged = (random_part, centre) if parts else (whole, whole)
        train = Files(files.train, device, learned)
        return train, Files(files.valid, device, judged), Files(files.test, device, judged)
    splits = data.load()
    held, valid, test = (Memory(ImageSet.of(split, device)) for split in (splits.train, splits.valid, splits.test))
    return held, valid, test
