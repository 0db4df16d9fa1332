"""The training core: order of images, determinism, stopping, and losses that explode."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from engine.datasets.base import Split
from engine.errors import EstimateError, Stopped
from engine.training import (
    ImageSet,
    accuracy,
    batch_rows,
    deterministic,
    renew_statistics,
    statistics_rows,
    steps_per_epoch,
    train,
)

CPU = torch.device("cpu")


def images(count: int = 64, side: int = 8) -> ImageSet:
    """Return images of two classes that differ in brightness."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = rng.integers(0, 100, (count, 1, side, side)) + 120 * labels[:, None, None, None]
    return ImageSet.of(Split(pixels.astype(np.uint8), labels.astype(np.int64)), CPU)


def network(dropout: float = 0.0) -> nn.Module:
    """Return a small classifier with the same initial weights every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(144, 2),
        ]
    return nn.Sequential(*layers)


def run(
    seed: int = 0, rate: float = 0.1, steps: int = 20, dropout: float = 0.0, stop: Callable[[], bool] = lambda: False
) -> list[float]:
    """Return the losses of a short training."""
    data = images()
    model = network(dropout)
    optimizer = torch.optim.SGD(model.parameters(), rate)
    with deterministic(seed, CPU):
        return train(model, data, batch_rows(len(data), 16, steps, seed), optimizer, stop=stop)


def test_an_epoch_shows_every_image_once_in_an_order_of_the_seed() -> None:
    rows = [batch.tolist() for batch in batch_rows(64, 16, 8, seed=3)]
    for epoch in (rows[:4], rows[4:]):
        assert sorted(chain.from_iterable(epoch)) == list(range(64))
    assert rows[:4] != rows[4:]
    assert rows == [batch.tolist() for batch in batch_rows(64, 16, 8, seed=3)]
    assert rows != [batch.tolist() for batch in batch_rows(64, 16, 8, seed=4)]


@pytest.mark.parametrize(
    ("count", "sizes"), [(5_000, [1024, 1024, 1024, 1024, 904]), (2_100, [1024, 1024]), (10, [10])]
)
def test_a_small_last_batch_is_left_out(count: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in batch_rows(count, 1024, len(sizes), seed=0)] == sizes
    assert steps_per_epoch(count, 1024) == len(sizes)


def test_training_learns_and_repeats_bit_for_bit() -> None:
    losses = run()
    assert losses[-1] < 0.5 * losses[0]
    assert losses == run()
    assert losses != run(seed=1)


def test_dropout_is_drawn_from_the_seed_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    assert run(dropout=0.5) == run(dropout=0.5)
    assert torch.equal(before, torch.get_rng_state())


def test_stop_is_asked_every_few_steps() -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Stopped):
        run(steps=1_000, stop=stop)
    assert len(asked) == 3


def test_an_exploding_loss_is_said_in_words() -> None:
    with pytest.raises(EstimateError, match="infinite or not a number"):
        run(rate=1e30, steps=100)


def test_large_images_are_averaged_down_and_small_ones_kept() -> None:
    pixels = np.zeros((3, 1, 32, 32), dtype=np.uint8)
    pixels[:, :, ::2] = 200
    split = Split(pixels, np.zeros(3, dtype=np.int64))
    reduced = ImageSet.of(split, CPU, max_side=16)
    assert reduced.images.shape == (3, 1, 16, 16)
    assert torch.all(reduced.images == 100)
    assert torch.equal(ImageSet.of(split, CPU, max_side=64).images, torch.from_numpy(pixels))


def test_batches_are_pixels_over_255() -> None:
    data = images()
    inputs, labels = data.batch(torch.tensor([5, 2]))
    assert torch.allclose(inputs, data.images[[5, 2]].float() / 255)
    assert labels.tolist() == [1, 0]


def test_statistics_are_those_of_the_images_shown() -> None:
    model = network(dropout=0.5)
    data = images(300)
    rows = statistics_rows(300, seed=1)
    assert sorted(map(len, rows)) == [100, 100, 100]
    assert sorted(torch.cat(rows).tolist()) == list(range(300))
    assert [len(part) for part in statistics_rows(129, seed=1)] == [65, 64]
    model.eval()
    renew_statistics(model, (data.batch(part)[0] for part in rows))
    assert not model.training
    maps = model[0](data.batch(torch.arange(300))[0])
    torch.testing.assert_close(model[1].running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(model[1].running_var, maps.var((0, 2, 3)), rtol=0.01, atol=0)
    assert model[1].momentum == 0.1


def test_accuracy_is_in_percent() -> None:
    model = network()
    data = images()
    with deterministic(0, CPU):
        train(model, data, batch_rows(64, 16, 40, 0), torch.optim.SGD(model.parameters(), 0.1))
    assert accuracy(model, data) == 100.0
    flipped = ImageSet(data.images, 1 - data.labels)
    assert accuracy(model, flipped) == 0.0
